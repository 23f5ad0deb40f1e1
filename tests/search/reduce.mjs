// Reduces the FHIR R4 definitions to what the evaluator needs: data/r4.json.gz.
//
// usage: node reduce.mjs FOLDER      FOLDER holds Bundle-searchParams.json, Bundle-resources.json, ... of R4 4.0.1
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const folder = process.argv[2];
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'));
const resourcesOf = (name) => read(name).entry.map((entry) => entry.resource);

const parameters = resourcesOf('Bundle-searchParams').map((found) => ({
  url: found.url,
  code: found.code,
  base: found.base,
  type: found.type,
  ...(found.expression && { expression: found.expression }),
  ...(found.target && { target: found.target }),
  ...(found.component && {
    component: found.component.map(({ definition, expression }) => ({ definition, expression })),
  }),
}));

const compartments = {};
for (const code of ['device', 'encounter', 'patient', 'practitioner', 'relatedPerson']) {
  const definition = read(`CompartmentDefinition-${code}`);
  compartments[definition.code] = Object.fromEntries(
    definition.resource.filter((row) => row.param).map((row) => [row.code, row.param]),
  );
}

// The implicit code system of an element of type code: what the value set of its required binding draws from.
const valueSets = new Map();
for (const name of ['Bundle-valuesets', 'Bundle-v2-valuesets', 'Bundle-v3-valuesets', 'Bundle-terminologies']) {
  for (const found of resourcesOf(name)) {
    if (found.resourceType === 'ValueSet') valueSets.set(found.url, found);
  }
}

function systemsOf(url, seen = new Set()) {
  const bare = url.split('|')[0];
  if (seen.has(bare)) return [];
  seen.add(bare);
  const includes = valueSets.get(bare)?.compose?.include ?? [];
  return includes.flatMap((include) =>
    include.system ? [include.system] : (include.valueSet ?? []).flatMap((nested) => systemsOf(nested, seen)),
  );
}

const codeSystems = {};
for (const name of ['Bundle-resources', 'Bundle-types']) {
  for (const definition of resourcesOf(name)) {
    if (definition.resourceType !== 'StructureDefinition' || definition.derivation === 'constraint') continue;
    for (const element of definition.snapshot.element) {
      if (!element.type?.some((type) => type.code === 'code') || !element.binding?.valueSet) continue;
      if (element.binding.strength !== 'required') continue;
      const systems = [...new Set(systemsOf(element.binding.valueSet))];
      if (systems.length > 0) codeSystems[element.path] = systems;
    }
  }
}

const types = resourcesOf('Bundle-resources')
  .filter((found) => found.resourceType === 'StructureDefinition' && found.kind === 'resource' && !found.abstract)
  .map((found) => found.type)
  .sort();

const text = JSON.stringify({ types, parameters, compartments, codeSystems });
writeFileSync(new URL('data/r4.json.gz', import.meta.url), gzipSync(text, { level: 9 }));
