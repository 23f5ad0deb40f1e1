// @medplum/core, as the scenario needs it.
import { MedplumClient } from '@medplum/core';

export class Medplum {
  constructor(baseUrl, token) {
    Object.assign(this, { baseUrl, token });
    const { origin, pathname } = new URL(baseUrl);
    // Nothing may come from its cache, and requests are not to be gathered into batches.
    this.http = new MedplumClient({
      baseUrl: `${origin}/`,
      fhirUrlPath: pathname.slice(1),
      accessToken: token,
      cacheTime: 0,
      autoBatchTime: 0,
      fetch: async (url, options) => {
        const response = await fetch(url, options);
        this.status = response.status;
        return response;
      },
    });
  }

  withToken(token) {
    return new Medplum(this.baseUrl, token);
  }

  /** Its errors carry an OperationOutcome and no status: that is taken from the last response. */
  async statusOf(call) {
    return call.then(
      () => 0,
      (problem) => (problem.outcome ? this.status : Promise.reject(problem)),
    );
  }

  create = (resource) => this.http.createResource(resource);
  read = (type, id) => this.http.readResource(type, id, { cache: 'reload' });
  vread = (type, id, version) => this.http.readVersion(type, id, version);
  update = (resource) => this.http.updateResource(resource);
  patch = (type, id, operations) => this.http.patchResource(type, id, operations);
  history = (type, id) => this.http.readHistory(type, id);
  transaction = (bundle) => this.http.executeBatch(bundle);
  batch = (bundle) => this.http.executeBatch(bundle);
  remove = (type, id) => this.http.deleteResource(type, id);
  searchByGet = (type, query) => this.http.search(type, query, { cache: 'reload' });
  searchByPost = (type, query) =>
    this.http.post(
      this.http.fhirUrl(type, '_search'),
      String(new URLSearchParams(query)),
      'application/x-www-form-urlencoded',
    );

  async *pages(type, query) {
    yield* this.http.searchResourcePages(type, query);
  }
}
