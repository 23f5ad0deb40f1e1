// fhir-kit-client, as the scenario needs it.
import { Client } from 'fhir-kit-client';

export class FhirKitClient {
  constructor(baseUrl, token) {
    Object.assign(this, { baseUrl, token, http: new Client({ baseUrl, bearerToken: token }) });
  }

  withToken(token) {
    return new FhirKitClient(this.baseUrl, token);
  }

  /** The status that a call is refused with; 0 when it is not. */
  async statusOf(call) {
    return call.then(
      () => 0,
      (problem) => problem.response?.status ?? Promise.reject(problem),
    );
  }

  create = (body) => this.http.create({ resourceType: body.resourceType, body });
  read = (resourceType, id) => this.http.read({ resourceType, id });
  vread = (resourceType, id, version) => this.http.vread({ resourceType, id, version });
  update = (body) => this.http.update({ resourceType: body.resourceType, id: body.id, body });
  patch = (resourceType, id, jsonPatch) => this.http.patch({ resourceType, id, jsonPatch });
  history = (resourceType, id) => this.http.history({ resourceType, id });
  transaction = (body) => this.http.transaction({ body });
  batch = (body) => this.http.batch({ body });
  remove = (resourceType, id) => this.http.delete({ resourceType, id });
  searchByGet = (resourceType, searchParams) => this.http.search({ resourceType, searchParams });
  searchByPost = (resourceType, searchParams) =>
    this.http.search({ resourceType, searchParams, options: { postSearch: true } });

  async *pages(resourceType, searchParams) {
    let bundle = await this.searchByGet(resourceType, searchParams);
    while (bundle) {
      yield (bundle.entry ?? []).map((entry) => entry.resource);
      bundle = await this.http.nextPage({ bundle });
    }
  }
}
