// The R4 search parameters, compartments and code bindings, as data/r4.json.gz holds them.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const data = JSON.parse(gunzipSync(readFileSync(new URL('../data/r4.json.gz', import.meta.url))).toString());

export const TYPES = new Set(data.types);
export const compartments = data.compartments;
const byUrl = new Map(data.parameters.map((found) => [found.url, found]));
const byType = new Map();
const NOT_DOMAIN = new Set(['Bundle', 'Binary', 'Parameters']);

function collect(type) {
  const bases = new Set([type, 'Resource', ...(NOT_DOMAIN.has(type) ? [] : ['DomainResource'])]);
  return new Map(
    data.parameters.filter((one) => one.base.some((base) => bases.has(base))).map((one) => [one.code, one]),
  );
}

/** All search parameters of a type, by their code, those of every resource included. */
export function parametersOf(type) {
  if (!byType.has(type)) byType.set(type, collect(type));
  return byType.get(type);
}

export const parameterOf = (type, code) => (TYPES.has(type) ? parametersOf(type).get(code) : undefined);
export const parameterByUrl = (url) => byUrl.get(url);

/** The code systems that an element of type code draws from, "Patient.gender" for example. */
export const systemsOfCode = (path) => data.codeSystems[path] ?? [];
