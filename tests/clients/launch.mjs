// usage: node launch.mjs    with TACENDA_URL (the FHIR base), TACENDA_USER, TACENDA_PASSWORD, TACENDA_FACTOR,
// TACENDA_PATIENT, TACENDA_CLIENT, TACENDA_REDIRECT and NODE_EXTRA_CA_CERTS
// fhirclient goes the way of a SMART standalone launch; what a person does in a browser is done here by the forms of
// the pages. One JSON line for each step that went well.
import smart from 'fhirclient';

const env = (name) => process.env[`TACENDA_${name}`];
const say = (step) => console.log(JSON.stringify({ step }));

const kept = new Map();
const storage = {
  get: async (key) => kept.get(key),
  set: async (key, value) => (kept.set(key, value), value),
  unset: async (key) => kept.delete(key),
};

/** fhirclient as it works for one request to the application's own server. */
function at(url) {
  const sent = {};
  const request = { url: url.pathname + url.search, headers: { host: url.host }, socket: {} };
  const response = {
    writeHead: (status, headers) => Object.assign(sent, { status, location: headers?.location ?? headers?.Location }),
    end: () => undefined,
  };
  return { smart: smart(request, response, storage), sent };
}

let cookie = '';
async function browse(url, fields) {
  const response = await fetch(url, {
    redirect: 'manual',
    method: fields ? 'POST' : 'GET',
    body: fields && new URLSearchParams(fields),
    headers: cookie ? { cookie } : {},
  });
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
  return { status: response.status, location: response.headers.get('location'), html: await response.text() };
}

function formOf(html, base) {
  const fields = {};
  for (const [input] of html.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1];
    if (name) fields[name] = /value="([^"]*)"/.exec(input)?.[1] ?? '';
  }
  return { action: new URL(/action="([^"]*)"/.exec(html)[1], base), fields };
}

const redirect = new URL(env('REDIRECT'));
const start = at(redirect);
await start.smart.authorize({
  iss: env('URL'),
  clientId: env('CLIENT'),
  redirectUri: redirect.href,
  scope: 'launch/patient openid fhirUser patient/*.read offline_access',
  pkceMode: 'required',
});
say('sent to the authorization endpoint');

const signIn = formOf((await browse(start.sent.location)).html, start.sent.location);
const user = { user: env('USER'), password: env('PASSWORD'), factor: env('FACTOR') };
const consent = formOf((await browse(signIn.action, { ...signIn.fields, ...user })).html, signIn.action);
say('signed in');
const decided = await browse(consent.action, { ...consent.fields, decision: 'allow' });
if (decided.status !== 303) throw new Error(`the decision was answered ${decided.status}`);
say('allowed');

const back = at(new URL(decided.location));
let client = await back.smart.ready();
say('code exchanged');
const patient = await client.patient.read();
if (client.patient.id !== env('PATIENT') || patient.id !== env('PATIENT')) throw new Error('another patient');
say('patient read');
const found = await client.request('Observation?_count=10');
if (found.total === 0 || !found.entry?.every(({ resource }) => resource.subject.reference === `Patient/${patient.id}`))
  throw new Error('other observations than his');
say('observations searched');
if (client.getIdToken().fhirUser !== `${env('URL')}/Patient/${patient.id}`) throw new Error('another fhirUser');
say('fhirUser known');
const before = client.state.tokenResponse.access_token;
const state = await client.refresh();
if (state.tokenResponse.access_token === before) throw new Error('the token was not refreshed');
await client.patient.read();
say('refreshed');
