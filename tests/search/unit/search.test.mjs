// Whole queries on a small store: FHIR R4 search.html, sections 3.1.1.4.4 and 3.1.1.4.10 to 3.1.1.5.4.
import assert from 'node:assert/strict';
import test from 'node:test';

import { QueryError } from '../reference/parse.mjs';
import { Store } from '../reference/search.mjs';

const coded = (code, system = 's') => ({ coding: [{ system, code }] });
const to = (reference) => ({ reference });
const observation = (id, patient, code, value, more = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  subject: to(`Patient/${patient}`),
  code: coded(code),
  valueQuantity: { value, system: 'http://unitsofmeasure.org', code: 'mg' },
  ...more,
});

const RESOURCES = [
  {
    resourceType: 'Patient',
    id: 'p1',
    gender: 'male',
    birthDate: '1980-05-01',
    active: true,
    name: [{ family: 'Chalmers', given: ['Peter', 'James'] }],
    communication: [{ language: coded('en') }, { language: coded('fr') }],
    generalPractitioner: [to('Practitioner/joe'), to('Practitioner/jane')],
    meta: {
      tag: [{ system: 'http://acme.org/codes', code: 'needs-review' }],
      lastUpdated: '2020-01-02T00:00:00Z',
      profile: ['http://p/one|1'],
      source: 'urn:a',
    },
    managingOrganization: to('Organization/ward'),
    deceasedBoolean: false,
  },
  {
    resourceType: 'Patient',
    id: 'p2',
    birthDate: '1990',
    name: [{ family: 'Carreno Quinones', given: ['Ève'] }],
    meta: { lastUpdated: '2020-01-03T00:00:00Z' },
    communication: [{ language: coded('en') }],
    deceasedDateTime: '2019',
    identifier: [{ system: 'mrn', value: '23' }],
  },
  {
    resourceType: 'Patient',
    id: 'p3',
    gender: 'female',
    _birthDate: { extension: [{ url: 'x', valueString: 'unknown' }] },
  },
  { resourceType: 'Practitioner', id: 'joe', name: [{ given: ['Joe'] }], address: [{ state: 'CA' }] },
  { resourceType: 'Practitioner', id: 'jane', name: [{ given: ['Jane'] }], address: [{ state: 'MN' }] },
  { resourceType: 'Organization', id: 'ward', name: 'Ward', partOf: to('Organization/clinic') },
  { resourceType: 'Organization', id: 'clinic', name: 'Clinic', partOf: to('Organization/trust') },
  { resourceType: 'Organization', id: 'trust', name: 'Trust' },
  observation('o1', 'p1', 'a', 5.4, { effectiveDateTime: '2013-01-14T10:00:00Z' }),
  observation('o2', 'p1', 'b', 7, {
    effectiveDateTime: '2013-01-15',
    component: [
      { code: coded('sys'), valueQuantity: { value: 120 } },
      { code: coded('dia'), valueQuantity: { value: 70 } },
    ],
  }),
  observation('o3', 'p2', 'a', 6, {
    effectivePeriod: { start: '2013-01-01', end: '2013-02-01' },
    hasMember: [to('Observation/o2')],
  }),
  {
    resourceType: 'DiagnosticReport',
    id: 'd1',
    status: 'final',
    code: coded('panel'),
    subject: to('Patient/p1'),
    result: [to('Observation/o1'), to('Observation/o2')],
  },
  {
    resourceType: 'AuditEvent',
    id: 'e1',
    agent: [{ who: to('Practitioner/joe') }],
    entity: [{ what: to('Observation/o1') }],
  },
  { resourceType: 'List', id: '42', entry: [{ item: to('Patient/p1') }, { item: to('Observation/o3') }] },
  {
    resourceType: 'MedicationRequest',
    id: 'm1',
    subject: to('Patient/p1'),
    contained: [{ resourceType: 'Medication', id: 'x', code: coded('abc') }],
    medicationReference: to('#x'),
  },
  {
    resourceType: 'CodeSystem',
    id: 'cs',
    url: 's',
    content: 'complete',
    concept: [{ code: 'root', concept: [{ code: 'a', concept: [{ code: 'aa' }] }, { code: 'b' }] }],
  },
  {
    resourceType: 'ValueSet',
    id: 'vs',
    url: 'http://v/one',
    compose: { include: [{ system: 's', filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }] },
  },
];

const store = new Store(RESOURCES, { base: 'https://example.org/fhir' });
const ids = (query) =>
  store
    .search(query)
    .ids.map((place) => place.split('/')[1])
    .sort()
    .join(' ');

/** Each row: query, ids that it must find, in alphabetical order. */
function finds(rows) {
  for (const [query, expected] of rows) assert.equal(ids(query), expected, query);
}

test('values are or, repeats are and', () =>
  finds([
    ['Patient?language=fr,en', 'p1 p2'],
    ['Patient?language=fr&language=en', 'p1'],
    ['Patient?language=fr,de&language=en', 'p1'],
    ['Patient?language=de', ''],
    ['Patient', 'p1 p2 p3'],
  ]));

test('missing is about values', () =>
  finds([
    ['Patient?gender:missing=true', 'p2'],
    ['Patient?gender:missing=false', 'p1 p3'],
    ['Patient?birthdate:missing=true', 'p3'],
    ['Patient?organization:missing=false', 'p1'],
  ]));

test('not is for the set and includes what has no value', () =>
  finds([
    ['Patient?gender:not=male', 'p2 p3'],
    ['Patient?gender:not=male,female', 'p2'],
    ['Patient?language:not=fr', 'p2 p3'],
  ]));

test('names are searched by their parts', () =>
  finds([
    ['Patient?name=peter', 'p1'],
    ['Patient?name=eve', 'p2'],
    ['Patient?given:exact=Eve', ''],
    ['Patient?family=quinones', 'p2'],
    ['Patient?family:exact=Quinones', ''],
    ['Patient?family:contains=QUIN', 'p2'],
    ['Patient?name=james,eve', 'p1 p2'],
  ]));

test('the parameters of every resource', () =>
  finds([
    ['Patient?_id=p1,p2', 'p1 p2'],
    ['Patient?_tag=http://acme.org/codes|needs-review', 'p1'],
    ['Patient?_lastUpdated=gt2020-01-02', 'p2'],
    ['Patient?_profile=http://p/one', 'p1'],
    ['Patient?_profile=http://p/one|2', ''],
    ['Patient?_source=urn:a', 'p1'],
    ['Patient?_list=42', 'p1'],
    ['?_list=42', 'o3 p1'],
    ['?_type=Patient,Practitioner&_id=joe,p1,o1', 'joe p1'],
    ['Patient?_lastUpdated=2020-01-02T00:00:00Z', 'p1'],
  ]));

test('booleans that are computed', () =>
  finds([
    ['Patient?deceased=true', 'p2'],
    ['Patient?deceased=false', 'p1 p3'],
  ]));

test('chains follow references', () =>
  finds([
    ['DiagnosticReport?subject:Patient.name=peter', 'd1'],
    ['DiagnosticReport?subject.name=peter', 'd1'],
    ['DiagnosticReport?subject:Location.name=peter', ''],
    ['DiagnosticReport?result.code-value-quantity=s|a$gt5|http://unitsofmeasure.org|mg', 'd1'],
    ['DiagnosticReport?subject:Patient.organization.name=ward', 'd1'],
    ['DiagnosticReport?subject:Patient.organization.partof.name=clinic', 'd1'],
    ['Patient?general-practitioner:Practitioner.name=Joe&general-practitioner:Practitioner.address-state=MN', 'p1'],
    ['Observation?subject:Patient.gender:missing=true', 'o3'],
    ['MedicationRequest?medication.code=abc', 'm1'],
    ['Medication?code=abc', ''],
    ['Observation?patient._id=p2', 'o3'],
  ]));

test('reverse chains', () =>
  finds([
    ['Patient?_has:Observation:patient:code=a', 'p1 p2'],
    ['Patient?_has:Observation:patient:code=b', 'p1'],
    ['Patient?_has:Observation:patient:code=a&_has:Observation:patient:code=b', 'p1'],
    ['Patient?_has:Observation:patient:code=b,x', 'p1'],
    ['Patient?_has:Observation:patient:_has:AuditEvent:entity:agent:Practitioner=joe', 'p1'],
    ['Patient?_has:Observation:patient:_has:AuditEvent:entity:agent:Practitioner.name=joe', 'p1'],
    ['Observation?subject:Patient._has:DiagnosticReport:subject:code=panel', 'o1 o2'],
  ]));

test('composites hold within one element', () =>
  finds([
    ['Observation?code-value-quantity=s|a$gt5.5', 'o3'],
    ['Observation?component-code-value-quantity=s|sys$gt100', 'o2'],
    ['Observation?component-code-value-quantity=s|dia$gt100', ''],
    ['Observation?combo-code-value-quantity=b$7', 'o2'],
    ['Observation?code-value-quantity=a$5.4,b$7', 'o1 o2'],
  ]));

test('references by id, type, url, hierarchy and identifier', () =>
  finds([
    ['Observation?subject=p1', 'o1 o2'],
    ['Observation?subject:Patient=p2', 'o3'],
    ['Observation?subject=https://example.org/fhir/Patient/p2', 'o3'],
    ['Patient?organization:below=trust', 'p1'],
    ['Patient?organization=trust', ''],
    ['Patient?organization:below=Organization/ward', 'p1'],
    ['Patient?organization:above=ward', 'p1'],
    ['Patient?organization:above=clinic', ''],
  ]));

test('value sets and hierarchies of codes that lie in the store', () =>
  finds([
    ['Observation?code:in=http://v/one', 'o1 o3'],
    ['Observation?code:in=ValueSet/vs', 'o1 o3'],
    ['Observation?code:not-in=http://v/one', 'o2'],
    ['Observation?code:below=s|root', 'o1 o2 o3'],
    ['Observation?code:below=s|a', 'o1 o3'],
    ['Observation?code:above=s|aa', 'o1 o3'],
    ['Observation?code:below=s|aa', ''],
  ]));

test('dates of either type', () =>
  finds([
    ['Observation?date=2013-01-14', 'o1'],
    ['Observation?date=ge2013-01-14&date=lt2013-01-15', 'o1 o3'],
    ['Observation?date=2013', 'o1 o2 o3'],
    ['Observation?date=sa2013-01-14', 'o2'],
  ]));

test('numbers of either type', () => {
  const risks = new Store([
    {
      resourceType: 'RiskAssessment',
      id: 'r1',
      prediction: [{ probabilityDecimal: 0.8 }, { probabilityDecimal: 0.1 }],
    },
    {
      resourceType: 'RiskAssessment',
      id: 'r2',
      prediction: [{ probabilityDecimal: 0.85 }, { probabilityRange: { low: { value: 0.1 } } }],
    },
    {
      resourceType: 'MolecularSequence',
      id: 's1',
      referenceSeq: { windowStart: 7, windowEnd: 9, chromosome: coded('1') },
      variant: [{ start: 7, end: 8 }],
    },
  ]);
  const found = (query) => risks.search(query).ids.join(' ');
  assert.equal(found('RiskAssessment?probability=gt0.8'), 'RiskAssessment/r2');
  assert.equal(found('RiskAssessment?probability=gt8e-1'), 'RiskAssessment/r2');
  assert.equal(found('RiskAssessment?probability=0.8'), 'RiskAssessment/r1');
  assert.equal(found('RiskAssessment?probability=lt0.2'), 'RiskAssessment/r1');
  assert.equal(found('MolecularSequence?window-start=7'), 'MolecularSequence/s1');
  assert.equal(found('MolecularSequence?window-start=7.5'), '');
  assert.equal(found('MolecularSequence?chromosome-variant-coordinate=1$lt8$lt9'), 'MolecularSequence/s1');
  assert.equal(found('MolecularSequence?chromosome-variant-coordinate=1$gt8$lt9'), '');
});

test('compartments', () =>
  finds([
    ['Patient/p1/Observation', 'o1 o2'],
    ['Patient/p1/Observation?code=b', 'o2'],
    ['Patient/p1/*?_type=Observation,DiagnosticReport', 'd1 o1 o2'],
    ['Practitioner/joe/Patient', 'p1'],
  ]));

test('signs that separate are escaped', () => {
  const odd = new Store([
    { resourceType: 'Patient', id: 'x', name: [{ text: 'a,b|c$d\\e' }], identifier: [{ value: '1|2,3' }] },
  ]);
  assert.equal(odd.search(`Patient?name:exact=${encodeURIComponent('a\\,b\\|c\\$d\\\\e')}`).total, 1);
  assert.equal(odd.search(`Patient?identifier=${encodeURIComponent('1\\|2\\,3')}`).total, 1);
  assert.equal(odd.search('Patient?identifier=1|2,3').total, 0);
});

test('sorting takes the value that comes first and puts what has none last', () => {
  const order = (query) =>
    store
      .search(query)
      .order.map((group) =>
        group
          .map((place) => place.split('/')[1])
          .sort()
          .join('+'),
      )
      .join(' ');
  assert.equal(order('Patient?_sort=birthdate'), 'p1 p2 p3');
  assert.equal(order('Patient?_sort=-birthdate'), 'p2 p1 p3');
  assert.equal(order('Patient?_sort=given'), 'p2 p1 p3');
  assert.equal(order('Patient?_sort=-given'), 'p1 p2 p3');
  assert.equal(order('Observation?_sort=date'), 'o3 o1 o2');
  assert.equal(order('Observation?_sort=subject,-value-quantity'), 'o2 o1 o3');
  assert.equal(order('Observation?_sort=patient'), 'o1+o2 o3');
  assert.equal(order('Observation?_sort=-_id'), 'o3 o2 o1');
  assert.equal(order('Patient'), 'p1+p2+p3');
});

test('includes follow references of the page, repeatedly when asked to', () => {
  const included = (query) => store.search(query).includes.sort().join(' ');
  assert.equal(included('DiagnosticReport?_include=DiagnosticReport:result'), 'Observation/o1 Observation/o2');
  assert.equal(included('DiagnosticReport?_include=DiagnosticReport:subject:Group'), '');
  assert.equal(included('DiagnosticReport?_include=DiagnosticReport:subject:Patient'), 'Patient/p1');
  assert.equal(
    included('DiagnosticReport?_include=DiagnosticReport:subject&_include=Patient:organization'),
    'Patient/p1',
  );
  assert.equal(
    included('DiagnosticReport?_include=DiagnosticReport:subject&_include:iterate=Patient:organization'),
    'Organization/ward Patient/p1',
  );
  assert.equal(included('Organization?_id=ward&_include=Organization:partof'), 'Organization/clinic');
  assert.equal(
    included('Organization?_id=ward&_include:iterate=Organization:partof'),
    'Organization/clinic Organization/trust',
  );
  assert.equal(included('Patient?_revinclude=Observation:subject&_id=p2'), 'Observation/o3');
  assert.equal(
    included('Patient?_id=p2&_revinclude=Observation:subject&_include:iterate=Observation:has-member'),
    'Observation/o2 Observation/o3',
  );
  assert.equal(included('DiagnosticReport?_include=DiagnosticReport:*'), 'Observation/o1 Observation/o2 Patient/p1');
  assert.equal(included('Observation?_id=o2,o3&_include=Observation:has-member'), '');
  assert.deepEqual(store.includes('Observation?_id=o2,o3&_include=Observation:has-member', ['Observation/o3']), [
    'Observation/o2',
  ]);
  assert.equal(included('MedicationRequest?_include=MedicationRequest:medication'), '');
});

test('what is no search is refused', () => {
  for (const query of [
    'Patient?nonsense=1',
    'Nonsense',
    'Patient?gender:exact=male',
    'Patient?birthdate=x',
    'Patient?name.given=x',
    'Patient?_has:Observation:code:code=1',
    'Observation?code-value-quantity=a',
    'Patient?_include=Patient:name',
    'Patient?birthdate:missing=maybe',
    'Patient?general-practitioner.nonsense=1',
    'Observation?_sort=nonsense',
    'Observation?value-quantity=gt',
    'Location?near=1|1',
    'Observation?code-value-quantity:missing=true',
  ]) {
    assert.throws(() => store.search(query), QueryError, query);
  }
});

test('only the number is wanted by _count=0 and _summary=count', () => {
  assert.deepEqual(
    ['Patient?_count=0', 'Patient?_summary=count', 'Patient?_count=1'].map((query) => store.search(query).isCountOnly),
    [true, true, false],
  );
});
