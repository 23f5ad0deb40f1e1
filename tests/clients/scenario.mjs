// What every client library does against the server; each step names itself in the output, one JSON object per line.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const SYSTEM = 'http://example.org/mrn';
const NEEDS = {
  patch: 'patch',
  'search by GET': 'search-type',
  'search by POST': 'search-type',
  paging: 'search-type',
  _include: 'search-type',
};
const PAGED = 7;

const patientWith = (value, more = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: SYSTEM, value }],
  ...more,
});
const entryOf = (method, url, resource, fullUrl) => ({
  ...(fullUrl && { fullUrl }),
  ...(resource && { resource }),
  request: { method, url },
});
const bundleOf = (type, ...entry) => ({ resourceType: 'Bundle', type, entry });
const matchesOf = (bundle) =>
  (bundle.entry ?? []).filter((entry) => entry.search?.mode !== 'include').map((entry) => entry.resource);
const statusesOf = (bundle) => bundle.entry.map((entry) => entry.response.status.slice(0, 3));
const placeOf = (entry) => /([A-Za-z]+)\/([^/]+)\/_history\//.exec(entry.response.location).slice(1, 3);

/** The steps, in order; they share what `made` holds. */
const STEPS = {
  async create(client, made) {
    made.patient = await client.create(
      patientWith(made.mark, { birthDate: '2001-02-03', name: [{ family: 'Ångström', given: ['Ève'] }] }),
    );
    assert.match(made.patient.id, /^[A-Za-z0-9.-]{1,64}$/);
    assert.equal(made.patient.meta.versionId, '1');
  },

  async read(client, made) {
    const found = await client.read('Patient', made.patient.id);
    assert.deepEqual(found, made.patient);
    assert.equal(found.name[0].family, 'Ångström');
  },

  async update(client, made) {
    const changed = await client.update({ ...made.patient, birthDate: '2001-02-04' });
    assert.equal(changed.meta.versionId, '2');
    assert.equal((await client.read('Patient', made.patient.id)).birthDate, '2001-02-04');
  },

  async vread(client, made) {
    assert.equal((await client.vread('Patient', made.patient.id, '1')).birthDate, '2001-02-03');
    assert.equal((await client.vread('Patient', made.patient.id, '2')).birthDate, '2001-02-04');
    assert.equal(await client.statusOf(client.vread('Patient', made.patient.id, '99')), 404);
  },

  async patch(client, made) {
    const operations = [
      { op: 'add', path: '/gender', value: 'female' },
      { op: 'replace', path: '/name/0/given/0', value: 'Eva' },
    ];
    await client.patch('Patient', made.patient.id, operations);
    const found = await client.read('Patient', made.patient.id);
    assert.deepEqual([found.gender, found.name[0].given[0], found.birthDate], ['female', 'Eva', '2001-02-04']);
    const failing = client.patch('Patient', made.patient.id, [
      { op: 'test', path: '/gender', value: 'male' },
      { op: 'remove', path: '/gender' },
    ]);
    assert.ok([400, 409, 412, 422].includes(await client.statusOf(failing)));
    assert.equal((await client.read('Patient', made.patient.id)).gender, 'female');
  },

  async history(client, made) {
    const bundle = await client.history('Patient', made.patient.id);
    assert.equal(bundle.type, 'history');
    const versions = bundle.entry.map((entry) => Number(entry.resource.meta.versionId));
    assert.ok(versions.length >= 2);
    assert.deepEqual(
      versions,
      Array.from(versions, (_, index) => versions.length - index),
    );
  },

  async transaction(client, made) {
    const urn = `urn:uuid:${randomUUID()}`;
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'weight' },
      subject: { reference: urn },
      valueQuantity: { value: 61.5 },
    };
    const answer = await client.transaction(
      bundleOf(
        'transaction',
        entryOf('POST', 'Patient', patientWith(`${made.mark}-t`), urn),
        entryOf('POST', 'Observation', observation),
      ),
    );
    assert.deepEqual([answer.type, ...statusesOf(answer)], ['transaction-response', '201', '201']);
    const [[, patient], [, id]] = answer.entry.map(placeOf);
    made.observation = await client.read('Observation', id);
    assert.equal(made.observation.subject.reference, `Patient/${patient}`);
    const refused = bundleOf(
      'transaction',
      entryOf('POST', 'Patient', patientWith(`${made.mark}-r`)),
      entryOf('GET', `Patient/${randomUUID()}`),
    );
    assert.ok([400, 404, 412].includes(await client.statusOf(client.transaction(refused))));
  },

  async batch(client, made) {
    const answer = await client.batch(
      bundleOf('batch', entryOf('GET', `Patient/${made.patient.id}`), entryOf('GET', `Patient/${randomUUID()}`)),
    );
    assert.deepEqual([answer.type, ...statusesOf(answer)], ['batch-response', '200', '404']);
    assert.equal(answer.entry[0].resource.id, made.patient.id);
  },

  async 'search by GET'(client, made) {
    const bundle = await client.searchByGet('Patient', { identifier: `${SYSTEM}|${made.mark}`, birthdate: 'ge2001' });
    assert.equal(bundle.type, 'searchset');
    assert.deepEqual(
      matchesOf(bundle).map((found) => found.id),
      [made.patient.id],
    );
    assert.deepEqual(matchesOf(await client.searchByGet('Patient', { identifier: `${SYSTEM}|${randomUUID()}` })), []);
  },

  async 'search by POST'(client, made) {
    const bundle = await client.searchByPost('Patient', { identifier: `${SYSTEM}|${made.mark}`, family: 'angstrom' });
    assert.deepEqual(
      matchesOf(bundle).map((found) => found.id),
      [made.patient.id],
    );
  },

  async paging(client, made) {
    const created = [];
    for (let number = 0; number < PAGED; ++number) {
      const made_ = await client.create({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: SYSTEM, code: made.mark }] },
      });
      created.push(made_.id);
    }
    const seen = [];
    let pages = 0;
    for await (const resources of client.pages('Observation', { code: `${SYSTEM}|${made.mark}`, _count: '3' })) {
      assert.ok(resources.length <= 3);
      seen.push(...resources.map((found) => found.id));
      pages += 1;
    }
    assert.deepEqual(seen.sort(), created.sort());
    assert.ok(pages >= 3);
  },

  async _include(client, made) {
    const bundle = await client.searchByGet('Observation', {
      _id: made.observation.id,
      _include: 'Observation:subject',
    });
    const modes = bundle.entry.map(({ resource, search }) => `${search.mode} ${resource.resourceType}`).sort();
    assert.deepEqual(modes, ['include Patient', 'match Observation']);
  },

  async delete(client, made) {
    await client.remove('Patient', made.patient.id);
    assert.equal(await client.statusOf(client.read('Patient', made.patient.id)), 410);
    assert.equal((await client.vread('Patient', made.patient.id, '1')).birthDate, '2001-02-03');
  },

  async 'bad token'(client, made) {
    const stranger = client.withToken(`${client.token.slice(0, -4)}AAAA`);
    assert.equal(await stranger.statusOf(stranger.read('Patient', made.patient.id)), 401);
    assert.equal(await stranger.statusOf(stranger.create(patientWith(made.mark))), 401);
  },
};

/** Runs all steps; one that needs what the server does not declare is told as skipped. */
export async function run(client, interactions) {
  const made = { mark: randomUUID() };
  for (const [step, act] of Object.entries(STEPS)) {
    const need = NEEDS[step];
    if (need && !interactions.includes(need)) {
      console.log(JSON.stringify({ step, skipped: `the server declares no ${need}` }));
      continue;
    }
    try {
      await act(client, made);
      console.log(JSON.stringify({ step }));
    } catch (problem) {
      console.log(JSON.stringify({ step, problem: String(problem?.stack ?? problem).slice(0, 2000) }));
    }
  }
}
