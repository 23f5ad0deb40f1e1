// Corners that the tables of the specification do not reach: canonical references, value sets of every form, sorting by
// several keys, units that cannot be converted.
import assert from 'node:assert/strict';
import test from 'node:test';

import { dateMatches, rangeOf } from '../reference/dates.mjs';
import { decimal, textOf } from '../reference/decimals.mjs';
import { branchesOf, runnable } from '../reference/elements.mjs';
import { numberMatches, UCUM } from '../reference/numbers.mjs';
import { QueryError } from '../reference/parse.mjs';
import { Store } from '../reference/search.mjs';

const finds = (store, rows) => {
  for (const [query, expected] of rows) {
    const found = store.search(query).ids.map((place) => place.split('/')[1]);
    assert.equal(found.sort().join(' '), expected, query);
  }
};

test('expressions of R4 are made runnable and their unions taken apart', () => {
  assert.equal(runnable('(A.b as Quantity) | (A.c as DateTime)'), 'A.b.ofType(Quantity) | A.c.ofType(dateTime)');
  assert.equal(runnable('A.b.as(Age)'), 'A.b.ofType(Age)');
  assert.equal(runnable('A.b.where(resolve() is Patient)'), "A.b.refersTo('Patient')");
  assert.deepEqual(branchesOf('(a | b).c | d | e(f | g)'), ['(a | b).c', 'd', 'e(f | g)']);
});

test('fractions of a second and wrong times', () => {
  const is = (search, target) => dateMatches(search.slice(0, 2), rangeOf(search.slice(2)), rangeOf(target), 0n);
  assert.ok(!is('eq2013-01-14T10:00:00.5Z', '2013-01-14T10:00:00.6Z'));
  assert.ok(is('gt2013-01-14T10:00:00.5Z', '2013-01-14T10:00:00.6Z'));
  assert.ok(is('eb2013-01-14T10:00:00.5Z', '2013-01-14T10:00:00.4Z'));
  assert.equal(rangeOf('2013-01-14T24:00:00Z'), undefined);
  assert.equal(rangeOf('2013-01-14T10:60:00Z'), undefined);
  assert.equal(rangeOf('2013-04-31'), undefined);
});

test('decimals are exact', () => {
  assert.deepEqual(
    ['1.50', '15e-1', '-0.0', '100', '1E2'].map((text) => textOf(decimal(text))),
    ['15e-1', '15e-1', '0', '1e2', '1e2'],
  );
  assert.equal(decimal('1.'), undefined);
  assert.equal(decimal('abc'), undefined);
  const at = (value) => ({ low: decimal(value), high: decimal(value) });
  assert.ok(!numberMatches('eb', decimal('2'), at('2')));
  assert.ok(numberMatches('eq', decimal('0.3'), at('0.30000000000000000001')));
});

test('quantities by number, system and code', () => {
  const quantity = (id, value, code, system = UCUM) => ({
    resourceType: 'Observation',
    id,
    valueQuantity: { value, code, ...(system && { system }) },
  });
  const store = new Store([
    quantity('a', 5.4, 'mg'),
    quantity('b', 5, '[iU]'),
    quantity('c', 5.4, 'mg', ''),
    quantity('d', 2, 'xx'),
  ]);
  finds(store, [
    [`Observation?value-quantity=5.4|${UCUM}|kg`, ''],
    [`Observation?value-quantity=5.4|${UCUM}|mg`, 'a'],
    [`Observation?value-quantity=5.4|${UCUM}|`, 'a'],
    ['Observation?value-quantity=5.4|urn:x|', ''],
    [`Observation?value-quantity=5.0|${UCUM}|mg`, ''],
    [`Observation?value-quantity=5|${UCUM}|[iU]`, 'b'],
    [`Observation?value-quantity=2|${UCUM}|mg`, ''],
    [`Observation?value-quantity=2|${UCUM}|xx`, 'd'],
    ['Observation?value-quantity=5.4', 'a c'],
    ['Observation?value-quantity=5.4||mg', 'a c'],
  ]);
});

test('a dateTime is as wide as it is written, an instant is a point', () => {
  const store = new Store([
    { resourceType: 'Observation', id: 'day', effectiveDateTime: '2013-01-15' },
    { resourceType: 'Observation', id: 'moment', effectiveInstant: '2013-01-15T10:00:00Z' },
  ]);
  finds(store, [
    ['Observation?date=gt2013-01-15T10:00:00Z', 'day'],
    ['Observation?date=ge2013-01-15T10:00:00Z', 'day moment'],
    ['Observation?date=2013-01-15T10:00:00.000Z', 'moment'],
  ]);
});

test('canonical references lead by url and version', () => {
  const library = (id, version) => ({ resourceType: 'Library', id, url: 'http://l', version, name: id });
  const store = new Store([
    library('one', '1'),
    library('two', '2'),
    { resourceType: 'Questionnaire', id: 'q', url: 'http://l', name: 'one' },
    { resourceType: 'Measure', id: 'm', library: ['http://l|2'] },
    { resourceType: 'Measure', id: 'n', library: ['http://l'] },
  ]);
  finds(store, [
    ['Measure?depends-on=http://l', 'm n'],
    ['Measure?depends-on=http://l|2', 'm'],
    ['Measure?depends-on=http://l|1', ''],
    ['Measure?depends-on:Library.name=one', 'n'],
    ['Measure?depends-on:Library.name=two', 'm n'],
    ['Library?_has:Measure:depends-on:_id=m', 'two'],
  ]);
  const { includes } = store.search('Measure?_id=m&_include=Measure:depends-on:Library');
  assert.deepEqual(includes, ['Library/two']);
});

test('reverse includes by any type, and by a target', () => {
  const to = (reference) => ({ reference });
  const store = new Store([
    { resourceType: 'Patient', id: 'p' },
    { resourceType: 'Group', id: 'g' },
    { resourceType: 'Observation', id: 'o', subject: to('Patient/p') },
    { resourceType: 'Observation', id: 'h', subject: to('Group/g') },
    { resourceType: 'Condition', id: 'c', subject: to('Patient/p') },
  ]);
  const included = (query) => store.search(query).includes.sort().join(' ');
  assert.equal(included('Patient?_revinclude=Observation:subject'), 'Observation/o');
  assert.equal(included('Patient?_revinclude=Observation:subject:Patient'), 'Observation/o');
  assert.equal(included('Patient?_revinclude=Observation:subject:Group'), '');
  assert.equal(
    included('Patient?_revinclude=Observation:subject&_revinclude=Condition:subject'),
    'Condition/c Observation/o',
  );
  assert.equal(included('Patient?_revinclude=*'), 'Condition/c Observation/o');
  assert.equal(included('?_type=Patient,Group&_revinclude=Observation:*'), 'Observation/h Observation/o');
});

test('a compartment holds its own resource and none of the same id', () => {
  const store = new Store([
    { resourceType: 'Patient', id: 'x' },
    { resourceType: 'Patient', id: 'y' },
    { resourceType: 'Location', id: 'x' },
  ]);
  assert.deepEqual(store.search('Patient/x/*').ids, ['Patient/x']);
});

test('several keys of a sort, with values missing in each', () => {
  const store = new Store([
    { resourceType: 'Patient', id: 'a', birthDate: '2000', gender: 'male' },
    { resourceType: 'Patient', id: 'b', birthDate: '2000' },
    { resourceType: 'Patient', id: 'c', gender: 'female' },
    { resourceType: 'Patient', id: 'd' },
    { resourceType: 'Patient', id: 'e', birthDate: '1990-01-01' },
  ]);
  const order = (query) =>
    store
      .search(query)
      .order.map((group) => group.map((place) => place.slice(8)).join('+'))
      .join(' ');
  assert.equal(order('Patient?_sort=birthdate,-_id'), 'e b a d c');
  assert.equal(order('Patient?_sort=-birthdate,gender'), 'a b e c d');
  assert.equal(order('Patient?_sort=death-date'), 'a+b+c+d+e');
});

test('a unit of another system is no UCUM unit, whatever its code looks like', () => {
  const valueQuantity = (value, system, code) => ({ valueQuantity: { value, system, code } });
  const quantity = (id, ...of) => ({ resourceType: 'Observation', id, ...valueQuantity(...of) });
  const store = new Store([
    quantity('a', 107, UCUM, 'mm[Hg]'),
    quantity('b', 122, 'http://snomed.info/sct', '258814008'),
  ]);
  assert.deepEqual(store.search('Observation?_sort=-value-quantity').order, [['Observation/a'], ['Observation/b']]);
});

test('value sets list, exclude, nest and come expanded', () => {
  const valueSet = (id, more) => ({ resourceType: 'ValueSet', id, url: `http://v/${id}`, version: '1', ...more });
  const listed = (...codes) => ({ system: 's', concept: codes.map((code) => ({ code })) });
  const store = new Store([
    ...['a', 'aa', 'b'].map((code) => ({
      resourceType: 'Observation',
      id: code,
      code: {
        coding: [
          { system: 's', code },
          { system: 't', code: 'z' },
        ],
      },
    })),
    {
      resourceType: 'CodeSystem',
      id: 's',
      url: 's',
      content: 'complete',
      concept: [{ code: 'a' }, { code: 'aa', property: [{ code: 'parent', valueCode: 'a' }] }],
    },
    valueSet('listed', { compose: { include: [listed('a', 'b')] } }),
    valueSet('but', { compose: { include: [listed('a', 'b')], exclude: [listed('b')] } }),
    valueSet('nested', { compose: { include: [{ valueSet: ['http://v/listed', 'http://v/but'] }] } }),
    valueSet('either', { compose: { include: [listed('aa'), { system: 'other' }] } }),
    valueSet('all', { compose: { include: [{ system: 's' }] } }),
    valueSet('below', {
      compose: { include: [{ system: 's', filter: [{ property: 'concept', op: 'descendent-of', value: 'a' }] }] },
    }),
    valueSet('strange', {
      compose: {
        include: [
          {
            system: 's',
            filter: [
              { property: 'concept', op: 'is-a', value: 'a' },
              { property: 'x', op: '=', value: 'y' },
            ],
          },
        ],
      },
    }),
    valueSet('expanded', {
      expansion: {
        contains: [
          { system: 's', code: 'a', contains: [{ system: 's', code: 'aa' }] },
          { system: 'u', code: 'b' },
        ],
      },
    }),
  ]);
  finds(store, [
    ['Observation?code:in=http://v/listed', 'a b'],
    ['Observation?code:in=http://v/but', 'a'],
    ['Observation?code:in=http://v/nested', 'a'],
    ['Observation?code:in=http://v/either', 'aa'],
    ['Observation?code:in=http://v/all', 'a aa'],
    ['Observation?code:in=http://v/below', 'aa'],
    ['Observation?code:in=http://v/strange', ''],
    ['Observation?code:in=http://v/expanded', 'a aa'],
    ['Observation?code:in=http://v/listed%7C1', 'a b'],
    ['Observation?code:in=http://v/listed%7C2', ''],
    ['Observation?code:not-in=http://v/listed', 'aa'],
    ['Observation?code:below=s|a', 'a aa'],
  ]);
});

test('more of what is refused', () => {
  const store = new Store([{ resourceType: 'Patient', id: 'p' }]);
  for (const query of [
    'Observation?subject:exact=x',
    'Patient/p',
    'Nonsense/p/Observation',
    'Patient?_include=Nonsense:x',
    '?_type=Nonsense',
    'Patient?_include=Patient:organization:Nonsense',
    'Patient?_include:recurse=Patient:organization',
    'Patient?_include=Patient',
  ]) {
    assert.throws(() => store.search(query), QueryError, query);
  }
});
