// The generator: the same seed makes the same queries, the evaluator takes them all, and most of them find something.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';

import { makeFeeding, makeQueries } from '../queries.mjs';
import { Store } from '../reference/search.mjs';

const SAMPLES = new URL('../../../samples/', import.meta.url);

/** The resources of a transaction bundle with the references that a server would have written. */
function stored(name) {
  let text = readFileSync(new URL(name, SAMPLES), 'utf8');
  const { entry } = JSON.parse(text);
  for (const { fullUrl, resource } of entry)
    text = text.replaceAll(`"${fullUrl}"`, `"${resource.resourceType}/${resource.id}"`);
  return JSON.parse(text).entry.map(({ resource }) => ({
    ...resource,
    meta: { ...resource.meta, lastUpdated: '2024-01-01T00:00:00Z' },
  }));
}

const files = readdirSync(SAMPLES)
  .filter((name) => name.endsWith('.json'))
  .sort();
const store = new Store(files.slice(0, 2).flatMap(stored), { base: 'https://127.0.0.1/fhir' });

test('a seed names its queries', () => {
  assert.deepEqual(makeQueries(store, 3, 20), makeQueries(store, 3, 20));
  assert.notDeepEqual(makeQueries(store, 3, 20), makeQueries(store, 4, 20));
});

test('queries are answered, many find some and not all, and every kind occurs', () => {
  const queries = makeQueries(store, 1, 400);
  const results = queries.map((query) => store.search(query));
  const telling = results.filter(({ total }, index) => {
    const type = queries[index].split('?')[0].split('/').at(-1);
    return total > 0 && total < store.all().filter((one) => one.resourceType === type).length;
  });
  assert.ok(telling.length > 100, `${telling.length} of 400 tell something`);
  assert.ok(results.some(({ includes }) => includes.length > 0));
  for (const kind of [
    /_has:/,
    /:[A-Z]\w+\./,
    /_sort=/,
    /_include=/,
    /_revinclude=/,
    /:missing=/,
    /:not=/,
    /:exact=/,
    /:contains=/,
    /=(ge|sa|eb)/,
    /%24/,
    /%2C/,
  ]) {
    assert.ok(
      queries.some((query) => kind.test(query)),
      String(kind),
    );
  }
});

test('every parameter that is fed has a search that finds the resource', () => {
  const made = makeFeeding(store, 1);
  const patient = made
    .filter(({ place }) => place.startsWith('Patient/'))
    .map(({ query }) => /\?([^=:]+)/.exec(query)[1]);
  for (const code of [
    '_id',
    'birthdate',
    'name',
    'family',
    'given',
    'gender',
    'identifier',
    'address-city',
    'language',
  ])
    assert.ok(patient.includes(code), code);
  for (const { query, place } of made.filter((_, index) => index % 20 === 0))
    assert.ok(store.search(query).ids.includes(place), query);
  const empty = made.filter(({ query }) => query.includes(':missing=')).length;
  assert.ok(empty < made.length / 50, `${empty} of ${made.length} have no value`);
});
