// fhirclient (the SMART on FHIR library) in Node.js, as the scenario needs it.
import smart from 'fhirclient';

const JSON_TYPE = { 'content-type': 'application/fhir+json' };

export class SmartClient {
  constructor(baseUrl, token) {
    Object.assign(this, { baseUrl, token });
    const state = { serverUrl: baseUrl, tokenResponse: { access_token: token, token_type: 'Bearer' } };
    // On 401 it forgets the session, so it wants a storage, too.
    const storage = { get: async () => state, set: async (_, value) => value, unset: async () => true };
    this.http = smart({ headers: {} }, {}, storage).client(state);
  }

  withToken(token) {
    return new SmartClient(this.baseUrl, token);
  }

  async statusOf(call) {
    return call.then(
      () => 0,
      (problem) => problem.status ?? problem.statusCode ?? Promise.reject(problem),
    );
  }

  create = (resource) => this.http.create(resource);
  read = (type, id) => this.http.request(`${type}/${id}`);
  vread = (type, id, version) => this.http.request(`${type}/${id}/_history/${version}`);
  update = (resource) => this.http.update(resource);
  patch = (type, id, operations) => this.http.patch(`${type}/${id}`, operations);
  history = (type, id) => this.http.request(`${type}/${id}/_history`);
  transaction = (bundle) =>
    this.http.request({ url: '', method: 'POST', headers: JSON_TYPE, body: JSON.stringify(bundle) });
  batch = (bundle) => this.transaction(bundle);
  remove = (type, id) => this.http.delete(`${type}/${id}`);
  searchByGet = (type, query) => this.http.request(`${type}?${new URLSearchParams(query)}`);

  searchByPost = (type, query) =>
    this.http.request({
      url: `${type}/_search`,
      method: 'POST',
      body: String(new URLSearchParams(query)),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  async *pages(type, query) {
    const pages = [];
    const onPage = (bundle) => pages.push((bundle.entry ?? []).map((entry) => entry.resource));
    await this.http.request(`${type}?${new URLSearchParams(query)}`, { pageLimit: 0, onPage });
    yield* pages;
  }
}
