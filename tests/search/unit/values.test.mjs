// Single values against single elements: the tables of FHIR R4 search.html, sections 3.1.1.4.5 to 3.1.1.4.11.
import assert from 'node:assert/strict';
import test from 'node:test';

import { dateMatches, rangeOf, rangeOfPeriod, rangeOfTiming } from '../reference/dates.mjs';
import { decimal } from '../reference/decimals.mjs';
import { numberMatches, quantityMatches, targetsOf, UCUM } from '../reference/numbers.mjs';
import { canonicalMatches, parseReference, referenceMatches } from '../reference/references.mjs';
import { folded, textMatches } from '../reference/text.mjs';
import { elementMatches } from '../reference/tokens.mjs';

const NOW = rangeOf('2020-01-01').low;
const isDate = (search, target) => {
  const range = typeof target === 'string' ? rangeOf(target) : rangeOfPeriod(target);
  return dateMatches(search.slice(0, 2), rangeOf(search.slice(2)), range, NOW);
};
const isNumber = (search, value) => {
  const [, prefix = 'eq', text] = /^([a-z]{2})?(.*)$/.exec(search);
  return numberMatches(prefix, decimal(text), { low: decimal(value), high: decimal(value) });
};

/** Each row: search value, target, whether it matches. */
function holds(rows, matches) {
  for (const [search, target, expected] of rows) {
    assert.equal(matches(search, target), expected, `${JSON.stringify(search)} on ${JSON.stringify(target)}`);
  }
}

test('dates follow the table of section 3.1.1.4.7', () => {
  const onwards = (start) => ({ start });
  holds(
    [
      ['eq2013-01-14', '2013-01-14T00:00:00Z', true],
      ['eq2013-01-14', '2013-01-14T10:00:00Z', true],
      ['eq2013-01-14', '2013-01-15T00:00:00Z', false],
      ['ne2013-01-14', '2013-01-15T00:00:00Z', true],
      ['ne2013-01-14', '2013-01-14T00:00:00Z', false],
      ['ne2013-01-14', '2013-01-14T10:00:00Z', false],
      ['lt2013-01-14T10:00', '2013-01-14', true],
      ['gt2013-01-14T10:00', '2013-01-14', true],
      ['ge2013-03-14', onwards('2013-01-21'), true],
      ['le2013-03-14', onwards('2013-01-21'), true],
      ['sa2013-03-14', onwards('2013-03-15'), true],
      ['sa2013-03-14', onwards('2013-01-21'), false],
      ['sa2013-03-14', { end: '2013-01-21' }, false],
      ['eb2013-03-14', onwards('2013-03-15'), false],
      ['eb2013-03-14', onwards('2013-01-21'), false],
      ['eb2013-03-14', { end: '2013-01-21' }, true],
      ['ap2013-03-14', '2013-03-14', true],
      ['ap2013-03-14', '2015-06-15', false],
    ],
    isDate,
  );
});

test('a partial date is the interval of its precision', () => {
  holds(
    [
      ['eq2000', '2000-12-31T23:59:59.999Z', true],
      ['eq2000', '2001', false],
      ['eq2000-04', '2000-04-30', true],
      ['eq2000-04', '2000-05-01', false],
      ['eq2000-04', '2000', false],
      ['eq2000', '2000-04', true],
      ['ne2000-04', '2000', true],
      ['gt2000-04', '2000', true],
      ['lt2000-04', '2000', true],
      ['gt2000-04-10', '2000-04-10T12:00:00Z', false],
      ['ge2000-04-10', '2000-04-10T12:00:00Z', true],
      ['le2011-12-31', '2011-12-31T23:00:00Z', true],
      ['le2011-12-31', '2012-01-01T00:00:00Z', false],
      ['eq2000-02-29', '2000-02-29', true],
      ['gt2013-01-14', '2013-01-14', false],
      ['lt2013-01-14', '2013-01-14', false],
      ['ge2013-01-14', '2013-01-14', true],
      ['le2013-01-14', '2013-01-14', true],
      ['sa2013-01-14', '2013-01-14', false],
      ['sa2013-01-13', '2013-01-14', true],
      ['eb2013-01-14', '2013-01-14', false],
      ['eb2013-01-14', '2013-01-13', true],
      ['gt2013-01-14', '2013-01', true],
      ['ge2013-01-14', { start: '2013-01-13', end: '2013-01-14' }, false],
      ['le2013-01-14', { start: '2013-01-14', end: '2013-01-15' }, false],
      ['gt2013-01-14', { start: '2013-01-13', end: '2013-01-15' }, true],
    ],
    isDate,
  );
  assert.equal(rangeOf('2001-02-29'), undefined);
  assert.equal(rangeOf('2001-13'), undefined);
  assert.equal(rangeOf('2001-01-01T10'), undefined);
});

test('time zones are corrected for, and without one it is UTC', () => {
  holds(
    [
      ['eq2013-01-14T10:00:00Z', '2013-01-14T11:00:00+01:00', true],
      ['eq2013-01-14', '2013-01-14T23:30:00-05:00', false],
      ['eq2013-01-15', '2013-01-14T23:30:00-05:00', true],
      ['eq2013-01-14T10:00:00', '2013-01-14T10:00:00Z', true],
      ['eq2013-01-14T10:00:00.5Z', '2013-01-14T10:00:00.55Z', true],
      ['eq2013-01-14T10:00:00.50Z', '2013-01-14T10:00:00.6Z', false],
    ],
    isDate,
  );
});

test('of a Timing only the outer limits matter', () => {
  const everySecondDay = rangeOfTiming({ repeat: { boundsPeriod: { start: '2013-01-31', end: '2013-03-24' } } });
  assert.ok(dateMatches('ge', rangeOf('2013-02-01'), everySecondDay, NOW));
  assert.ok(!dateMatches('sa', rangeOf('2013-02-01'), everySecondDay, NOW));
  const events = rangeOfTiming({ event: ['2013-02-03', '2013-01-05'] });
  assert.deepEqual(events, { low: rangeOf('2013-01-05').low, high: rangeOf('2013-02-03').high });
  assert.equal(rangeOfTiming({ code: { text: 'BID' } }), undefined);
});

test('numbers follow the table of section 3.1.1.4.6', () => {
  holds(
    [
      ['100', '99.5', true],
      ['100', '100.49', true],
      ['100', '100.5', false],
      ['100', '99.49', false],
      ['100.00', '99.995', true],
      ['100.00', '100.005', false],
      ['100.00', '99.99', false],
      ['lt100', '99.9999', true],
      ['lt100', '100', false],
      ['le100', '100', true],
      ['le100', '100.0001', false],
      ['gt100', '100.0001', true],
      ['gt100', '100', false],
      ['ge100', '100', true],
      ['ge100', '99.9999', false],
      ['ne100', '100.4', false],
      ['ne100', '100.5', true],
      ['sa2', '2.01', true],
      ['sa2', '2', false],
      ['eb2', '1.99', true],
      ['ap100', '90', true],
      ['ap100', '110', true],
      ['ap100', '111', false],
      ['gt8e-1', '0.8', false],
      ['gt8e-1', '0.81', true],
      ['1.00e2', '99.5', true],
      ['1.00e2', '99.4', false],
      ['-5', '-5.5', true],
      ['-5', '-4.5', false],
      ['2', '2', true],
      ['2.5', '2', false],
    ],
    isNumber,
  );
});

test('a Range is a range', () => {
  const [adult] = targetsOf({ low: { value: 18, unit: 'a' }, high: { value: 30 } }, 'Range');
  const [open] = targetsOf({ low: { value: 18 } }, 'Range');
  const is = (prefix, value, target) => numberMatches(prefix, decimal(value), target);
  assert.deepEqual(
    ['eq', 'gt', 'lt', 'sa', 'eb'].map((prefix) => is(prefix, '20', adult)),
    [false, true, true, false, false],
  );
  assert.deepEqual(
    ['gt', 'lt', 'sa', 'eb'].map((prefix) => is(prefix, '17', open)),
    [true, false, true, false],
  );
});

test('quantities follow the examples of section 3.1.1.4.11', () => {
  const milligrams = { value: 5.4, unit: 'mg', system: UCUM, code: 'mg' };
  const is = (search, quantity) => {
    const [, prefix = 'eq', value, system, code] = /^([a-z]{2})?([^|]*)\|?([^|]*)\|?(.*)$/.exec(search);
    const wanted = { prefix, value: decimal(value), system: system || undefined, code: code || undefined };
    return targetsOf(quantity, 'Quantity').some((target) => quantityMatches(wanted, target));
  };
  holds(
    [
      [`5.4|${UCUM}|mg`, milligrams, true],
      [`5.4|${UCUM}|mg`, { ...milligrams, value: 5.44 }, true],
      [`5.4|${UCUM}|mg`, { ...milligrams, value: 5.45 }, false],
      [`5.40e-3|${UCUM}|g`, milligrams, true],
      [`5.40e-3|${UCUM}|g`, { ...milligrams, value: 5.405 }, false],
      [`5.40e-3|${UCUM}|g`, { ...milligrams, value: 5.395 }, true],
      ['5.4||mg', { value: 5.4, unit: 'mg' }, true],
      ['5.4||mg', { value: 5.4, unit: 'milligram', code: 'mg' }, true],
      ['5.4||mg', { value: 5.4, unit: 'g' }, false],
      ['5.4', { value: 5.4, unit: 'g' }, true],
      [`le5.4|${UCUM}|mg`, milligrams, true],
      [`ap5.4|${UCUM}|mg`, { ...milligrams, value: 5.9 }, true],
      [`ap5.4|${UCUM}|mg`, { ...milligrams, value: 6 }, false],
      [`23|${UCUM}|mm/h`, { value: 0.023, system: UCUM, code: 'm/h' }, true],
      [`5.4|${UCUM}|mg`, { ...milligrams, code: 'mmol' }, false],
      [`5.4|urn:other|mg`, milligrams, false],
      [`37|${UCUM}|Cel`, { value: 310.15, system: UCUM, code: 'K' }, true],
      [`120|${UCUM}|mm[Hg]`, { value: 16, system: UCUM, code: 'kPa' }, true],
      [`5|${UCUM}|[iU]`, { value: 5, system: UCUM, code: '[iU]' }, true],
      ['lt5', { value: 5, comparator: '<' }, true],
      ['gt5', { value: 5, comparator: '<' }, false],
    ],
    is,
  );
});

test('strings follow the examples of section 3.1.1.4.8', () => {
  const is = (modifier) => (wanted, text) => textMatches(modifier, wanted, { text });
  holds(
    [
      ['eve', 'Eve', true],
      ['eve', 'Evelyn', true],
      ['eve', 'Severine', false],
    ],
    is(''),
  );
  holds(
    [
      ['eve', 'Eve', true],
      ['eve', 'Evelyn', true],
      ['eve', 'Severine', true],
    ],
    is('contains'),
  );
  holds(
    [
      ['Eve', 'Eve', true],
      ['Eve', 'eve', false],
      ['Eve', 'EVE', false],
      ['Eve', 'Evelyn', false],
    ],
    is('exact'),
  );
  holds(
    [
      ['carreno', 'Carreño', true],
      ['CARREÑO', 'Carren\u0303o', true],
      ['obrien', "O'Brien", true],
      ['a  b', 'A\tB', true],
    ],
    is(''),
  );
  assert.equal(folded('Straße'), 'strasse');
});

test('tokens follow the four forms of section 3.1.1.4.10', () => {
  const concept = {
    type: 'CodeableConcept',
    path: '',
    value: { text: 'Head pain', coding: [{ system: 's', code: 'a', display: 'Headache' }, { code: 'b' }] },
  };
  const code = { type: 'code', path: 'Patient.gender', value: 'male' };
  const flag = { type: 'boolean', path: '', value: true };
  const mrn = {
    type: 'Identifier',
    path: '',
    value: { system: 's', value: 'a', type: { text: 'Record', coding: [{ system: 'u', code: 'XX' }, { system: 't', code: 'MR' }] } },
  };
  const is = (modifier) => (search, element) => elementMatches(modifier, search.split('|'), element, {});
  holds(
    [
      ['a', concept, true],
      ['s|a', concept, true],
      ['|a', concept, false],
      ['|b', concept, true],
      ['s|', concept, true],
      ['x|a', concept, false],
      ['s|b', concept, false],
      ['A', concept, false],
      ['c', concept, false],
      ['male', code, true],
      ['http://hl7.org/fhir/administrative-gender|male', code, true],
      ['x|male', code, false],
      ['true', flag, true],
      ['false', flag, false],
      ['a', mrn, true],
      ['s|a', mrn, true],
      ['|a', mrn, false],
      ['ab', { type: 'string', path: '', value: 'AB' }, true],
      ['+1 5', { type: 'ContactPoint', path: '', value: { system: 'phone', value: '+1 5' } }, true],
    ],
    is(''),
  );
  holds(
    [
      ['head', concept, true],
      ['headache', concept, true],
      ['pain', concept, false],
      ['rec', mrn, true],
    ],
    is('text'),
  );
  holds(
    [
      ['t|MR|a', mrn, true],
      ['t|MR|b', mrn, false],
      ['t|XX|a', mrn, false],
    ],
    is('of-type'),
  );
  holds(
    [['text/xml', { type: 'code', path: 'Attachment.contentType', value: 'text/xml; charset=UTF-8' }, true]],
    is('below'),
  );
});

test('references follow section 3.1.1.4.12', () => {
  const base = 'http://example.org/fhir';
  const to = (reference) => ({ type: 'Reference', value: { reference } });
  const is = (wanted, element) => referenceMatches(wanted, undefined, element, base);
  for (const search of ['Patient/123', '123', `${base}/Patient/123`]) {
    holds(
      [
        [search, to('Patient/123'), true],
        [search, to(`${base}/Patient/123`), true],
        [search, to('Patient/123/_history/2'), true],
        [search, to('http://other.org/fhir/Patient/123'), false],
        [search, to('Patient/1234'), false],
        [search, to('#123'), false],
      ],
      is,
    );
  }
  holds(
    [
      ['Patient/123', to('Group/123'), false],
      ['123', to('Group/123'), true],
      ['http://other.org/a', to('http://other.org/a'), true],
      ['Patient/123/_history/2', to('Patient/123/_history/2'), true],
      ['Patient/123/_history/3', to('Patient/123/_history/2'), false],
    ],
    is,
  );
  assert.ok(referenceMatches('123', 'Patient', to('Patient/123'), base));
  assert.ok(!referenceMatches('123', 'Patient', to('Group/123'), base));
  assert.deepEqual(parseReference('urn:uuid:1'), { url: 'urn:uuid:1' });
});

test('canonical references follow section 3.1.1.4.13', () => {
  const url = 'http://acme.com/some-profile';
  const versions = [`${url}|1.0`, `${url}|1.1`, `${url}|2.0`];
  assert.deepEqual(
    versions.map((one) => canonicalMatches('below', url, one)),
    [true, true, true],
  );
  assert.deepEqual(
    versions.map((one) => canonicalMatches('below', `${url}|1`, one)),
    [true, true, false],
  );
  assert.deepEqual(
    versions.map((one) => canonicalMatches('', `${url}|1.1`, one)),
    [false, true, false],
  );
});
