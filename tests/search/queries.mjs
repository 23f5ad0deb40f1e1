// Random searches by a seed, built from the values that a set of resources holds, and near misses of them.
//
// usage: node queries.mjs --seed N --count N FILE...     FILE: resources as NDJSON, or one resource or Bundle
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { compartments, parameterByUrl, parametersOf } from './reference/definitions.mjs';
import { elementsOf, rowsOf } from './reference/elements.mjs';
import { escaped, parseCriterion } from './reference/parse.mjs';
import { pointsTo } from './reference/references.mjs';
import { Store } from './reference/search.mjs';
import { textsOf } from './reference/text.mjs';
import { tokensOf } from './reference/tokens.mjs';

const DEPTH_MAX = 3;
// Matching is at the server's discretion (phonetic, _text), or says nothing about the content.
const LEFT_OUT = new Set(['phonetic', '_text', '_content', '_query', 'near', '_tag']);
const PREFIXES = ['', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'];
// Units that stand for the same dimension, as powers of ten between them.
const SCALES = [
  ['g', 'mg', 3],
  ['kg', 'g', 3],
  ['m', 'cm', 2],
  ['g/L', 'g/dL', -1],
  ['mmol/L', 'umol/L', 3],
  ['g/dL', 'mg/dL', 3],
];

/** Numbers that a seed makes (mulberry32), and choices by them. */
export class Chance {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  fraction() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit) {
    return Math.floor(this.fraction() * limit);
  }

  /** One time in `times`. */
  oneIn(times) {
    return this.below(times) === 0;
  }

  of(list) {
    return list[this.below(list.length)];
  }

  /** rows: [weight, what]. */
  weighted(rows) {
    let left = this.fraction() * rows.reduce((sum, [weight]) => sum + weight, 0);
    return (rows.find(([weight]) => (left -= weight) < 0) ?? rows[0])[1];
  }
}

/** The values of one parameter: each function gives { modifier, value } or undefined, of one element. */
class Values {
  constructor(chance, store) {
    Object.assign(this, { chance, store, base: store.context.base });
  }

  string(element) {
    const texts = textsOf(element)
      .map(({ text }) => text)
      .filter((text) => /[\p{L}\p{N}]/u.test(text));
    if (texts.length === 0) return undefined;
    const text = this.chance.of(texts);
    const letters = [...text];
    const modifier = this.chance.weighted([
      [6, ''],
      [2, 'exact'],
      [2, 'contains'],
    ]);
    if (modifier === 'exact') return { modifier, value: escaped(this.chance.oneIn(4) ? text.toUpperCase() : text) };
    const start = modifier === 'contains' ? this.chance.below(Math.max(1, letters.length - 2)) : 0;
    let part = letters.slice(start, start + 2 + this.chance.below(letters.length)).join('');
    if (!/[\p{L}\p{N}]/u.test(part)) part = text;
    const cased = this.chance.weighted([
      [2, part],
      [1, part.toUpperCase()],
      [1, part.toLowerCase()],
      [1, `${part}q`],
    ]);
    return { modifier, value: escaped(cased) };
  }

  token(element) {
    const { type, value } = element;
    if (type === 'Identifier' && value.type?.coding?.[0]?.system && value.value && this.chance.oneIn(3)) {
      const { system, code } = value.type.coding[0];
      return code && { modifier: 'of-type', value: [system, code, value.value].map(escaped).join('|') };
    }
    const text = value.text ?? value.coding?.[0]?.display;
    if (type === 'CodeableConcept' && text && this.chance.oneIn(6)) {
      return { modifier: 'text', value: escaped([...text].slice(0, 1 + this.chance.below(text.length)).join('')) };
    }
    const tokens = tokensOf(element).filter((token) => token.plain !== undefined || token.code !== undefined);
    if (tokens.length === 0) return undefined;
    const token = this.chance.of(tokens);
    return { modifier: this.chance.oneIn(6) ? 'not' : '', value: this.tokenText(token) };
  }

  tokenText({ plain, systems, system, code }) {
    if (plain !== undefined) return escaped(plain);
    const known = systems?.[0] ?? system;
    const near = this.chance.oneIn(10) ? `${code}x` : code;
    if (known === undefined) return systems || this.chance.oneIn(2) ? escaped(near) : `|${escaped(near)}`;
    return this.chance.weighted([
      [4, `${escaped(known)}|${escaped(near)}`],
      [3, escaped(near)],
      [1, `${escaped(known)}|`],
      [systems ? 0 : 1, `|${escaped(near)}`],
    ]);
  }

  date({ type, value }) {
    const text = type === 'Period' ? ((this.chance.oneIn(2) ? value.start : value.end) ?? value.start) : value;
    if (typeof text !== 'string') return undefined;
    const cut = this.chance.of([text, text, text.slice(0, 10), text.slice(0, 10), text.slice(0, 7), text.slice(0, 4)]);
    const year = String(
      Number(cut.slice(0, 4)) +
        this.chance.weighted([
          [5, 0],
          [1, 1],
          [1, -1],
        ]),
    );
    const near = /^\d{4}-02-29/.test(cut) ? cut : year.padStart(4, '0') + cut.slice(4);
    return { modifier: '', value: this.chance.of(PREFIXES) + near };
  }

  number({ value }) {
    return { modifier: '', value: this.chance.of([...PREFIXES, 'ap']) + this.near(value) };
  }

  /** The number itself, rounded, written with more digits, or beside it. */
  near(value) {
    return this.chance
      .weighted([
        [4, () => String(value)],
        [1, () => value.toPrecision(2)],
        [1, () => value.toFixed(3)],
        [1, () => String(Number((value * 1.03).toPrecision(4)))],
        [1, () => value.toExponential(3)],
      ])()
      .replace('e+', 'e');
  }

  quantity({ type, value }) {
    const quantity = type === 'Range' ? (value.low ?? value.high) : value;
    if (typeof quantity?.value !== 'number') return undefined;
    const prefix = this.chance.of([...PREFIXES, 'ap']);
    const { system, code, unit } = quantity;
    const number = this.near(quantity.value);
    const rows = [[2, number]];
    if (system && code) rows.push([4, [number, system, code].map(escaped).join('|')]);
    if (unit ?? code) rows.push([1, `${number}||${escaped(this.chance.of([unit, code].filter(Boolean)))}`]);
    for (const [big, small, power] of SCALES) {
      // Written out with as many digits as the value has: conversion must not change what is meant.
      if (system && code === small) rows.push([2, `${shifted(quantity.value, -power)}|${escaped(system)}|${big}`]);
      if (system && code === big) rows.push([2, `${shifted(quantity.value, power)}|${escaped(system)}|${small}`]);
    }
    return { modifier: '', value: prefix + this.chance.weighted(rows) };
  }

  uri({ value }) {
    if (value.startsWith('urn:')) return { modifier: '', value: escaped(value) };
    return this.chance.weighted([
      [4, { modifier: '', value: escaped(value) }],
      [1, { modifier: 'below', value: escaped(value.slice(0, 8 + this.chance.below(value.length))) }],
      [1, { modifier: 'above', value: escaped(`${value}/more`) }],
    ]);
  }

  reference(element) {
    const { value } = element;
    if (typeof value === 'string') return this.canonical(value);
    const { identifier } = value;
    if (identifier?.value && identifier.system)
      return { modifier: 'identifier', value: [identifier.system, identifier.value].map(escaped).join('|') };
    const place = pointsTo(element, this.base);
    if (place?.url) return { modifier: '', value: escaped(place.url) };
    if (!place?.id) return undefined;
    const rows = [
      [3, { modifier: '', value: `${place.type}/${place.id}` }],
      [2, { modifier: '', value: place.id }],
      [2, { modifier: place.type, value: place.id }],
      [1, { modifier: 'below', value: this.related(place) }],
      [1, { modifier: 'above', value: this.related(place) }],
    ];
    if (this.base) rows.push([1, { modifier: '', value: `${this.base}/${place.type}/${place.id}` }]);
    return this.chance.weighted(rows);
  }

  /** A canonical: with its version, without, or with the first parts of it. */
  canonical(value) {
    const [url, version] = value.split('|');
    const parts = version?.split('.') ?? [];
    const part = parts.slice(0, 1 + this.chance.below(parts.length)).join('.');
    return this.chance.weighted([
      [3, { modifier: '', value: escaped(url) + (version ? `|${version}` : '') }],
      [1, { modifier: '', value: escaped(url) }],
      [1, { modifier: 'below', value: escaped(url) + (part && this.chance.oneIn(2) ? `|${part}` : '') }],
      [1, { modifier: 'above', value: escaped(url) + (version ? `|${version}` : '') }],
    ]);
  }

  /** The resource itself, or what it is part of. */
  related({ type, id }) {
    const stored = this.store.get(type, id);
    const whole = stored && this.chance.oneIn(2) ? this.store.parentOf(stored) : undefined;
    const { id: chosen } = whole ?? { id };
    return this.chance.oneIn(2) ? `${type}/${chosen}` : chosen;
  }
}

const shifted = (value, power) => {
  const [mantissa, exponent] = value.toExponential().split('e');
  const moved = Number(exponent) + power;
  return `${mantissa}e${moved}`;
};

const isCanonicalText = ({ type, value }) => type === 'canonical' || (typeof value === 'string' && value.includes('|'));

class Generator {
  constructor(store, seed) {
    this.chance = new Chance(seed);
    this.store = store;
    this.values = new Values(this.chance, store);
    this.byType = Map.groupBy ? Map.groupBy(store.all(), (one) => one.resourceType) : grouped(store.all());
    this.types = [...this.byType.keys()].sort();
  }

  resource(type) {
    return this.chance.of(this.byType.get(type));
  }

  /** "name=value" made from a resource of the type. */
  criterion(type, depth = 0) {
    for (let attempt = 0; attempt < 20; ++attempt) {
      const make = this.chance.weighted([
        [12, () => this.simple(type)],
        [depth < DEPTH_MAX ? 2 : 0, () => this.chain(type, depth)],
        [depth < DEPTH_MAX ? 2 : 0, () => this.has(type, depth)],
        [depth === 0 ? 1 : 0, () => this.list(type)],
      ]);
      const made = make();
      if (made) return made;
    }
    return { key: '_id', value: this.resource(type).id };
  }

  parameters(type, types) {
    return [...parametersOf(type).values()].filter(
      (one) => one.expression && !LEFT_OUT.has(one.code) && (!types || types.includes(one.type)),
    );
  }

  simple(type) {
    const resource = this.resource(type);
    const all = this.parameters(type);
    const fed = all.filter(
      (one) => (one.type === 'composite' ? rowsOf(resource, one) : elementsOf(resource, one)).length > 0,
    );
    const parameter = this.chance.of(fed.length === 0 || this.chance.oneIn(12) ? all : fed);
    if (parameter.type !== 'composite' && this.chance.oneIn(12))
      return { key: `${parameter.code}:missing`, value: this.chance.of(['true', 'false']) };
    const first = this.value(parameter, resource);
    if (!first) return undefined;
    const values = [first.value];
    while (this.chance.oneIn(4)) {
      const more = this.value(parameter, this.resource(type));
      if (more?.modifier === first.modifier) values.push(more.value);
    }
    return { key: parameter.code + (first.modifier && `:${first.modifier}`), value: values.join(',') };
  }

  value(parameter, resource) {
    if (parameter.type === 'composite') return this.composite(parameter, resource);
    const elements = elementsOf(resource, parameter);
    return elements.length === 0 ? undefined : this.values[parameter.type](this.chance.of(elements));
  }

  composite(parameter, resource) {
    const rows = rowsOf(resource, parameter).filter((row) => row.every((elements) => elements.length > 0));
    if (rows.length === 0) return undefined;
    const parts = this.chance.of(rows).map((elements, index) => {
      const { type } = parameterByUrl(parameter.component[index].definition);
      for (let attempt = 0; attempt < 10; ++attempt) {
        const made = this.values[type](this.chance.of(elements));
        if (made?.modifier === '') return made.value;
      }
      return undefined;
    });
    return parts.includes(undefined) ? undefined : { modifier: '', value: parts.join('$') };
  }

  /** A reference parameter of the resource that leads to a resource of the store: [parameter, target]. */
  link(resource) {
    const links = this.parameters(resource.resourceType, ['reference']).flatMap((parameter) =>
      this.store
        .targets(resource, parameter)
        .filter(({ resourceType }) => this.byType.has(resourceType) && (parameter.target ?? [resourceType]).includes(resourceType))
        .map((target) => [parameter, target]),
    );
    return links.length === 0 ? undefined : this.chance.of(links);
  }

  chain(type, depth) {
    const [parameter, target] = this.link(this.resource(type)) ?? [];
    if (!parameter) return undefined;
    const { key, value } = this.criterion(target.resourceType, depth + 1);
    const isClear = parameter.target?.length === 1 && this.chance.oneIn(2);
    return { key: `${parameter.code}${isClear ? '' : `:${target.resourceType}`}.${key}`, value };
  }

  /** _has by a resource that is linked to one of the type. */
  has(type, depth) {
    for (let attempt = 0; attempt < 10; ++attempt) {
      const source = this.resource(this.chance.of(this.types));
      const [parameter, target] = this.link(source) ?? [];
      if (target?.resourceType !== type) continue;
      const { key, value } = this.criterion(source.resourceType, depth + 1);
      return { key: `_has:${source.resourceType}:${parameter.code}:${key}`, value };
    }
    return undefined;
  }

  /** _list by a List that names a resource of the type. */
  list(type) {
    const lists = (this.byType.get('List') ?? []).filter(({ entry }) =>
      entry?.some(({ item }) => item?.reference?.startsWith(`${type}/`)),
    );
    return lists.length === 0 ? undefined : { key: '_list', value: this.chance.of(lists).id };
  }

  sort(type) {
    // Of names and addresses any part may count; of a canonical its version may or may not.
    const unsaid = (element) => ['HumanName', 'Address'].includes(element.type) || isCanonicalText(element);
    const codes = this.parameters(type, ['date', 'number', 'string', 'token', 'reference', 'quantity', 'uri'])
      .filter((one) => !this.byType.get(type).some((resource) => elementsOf(resource, one).some(unsaid)))
      .map((one) => one.code);
    const keys = [...new Set(['_id', '_lastUpdated', ...codes])];
    return [this.chance.of(keys), ...(this.chance.oneIn(2) ? [this.chance.of(keys)] : [])]
      .map((code) => (this.chance.oneIn(2) ? '-' : '') + code)
      .join(',');
  }

  includes(type) {
    if (this.chance.oneIn(8)) return ['_include=*'];
    const made = [];
    const [parameter, target] = this.link(this.resource(type)) ?? [];
    if (parameter && this.chance.oneIn(2)) {
      made.push(`_include=${type}:${parameter.code}${this.chance.oneIn(3) ? `:${target.resourceType}` : ''}`);
      const [next] = this.link(target) ?? [];
      if (next && this.chance.oneIn(2)) made.push(`_include:iterate=${target.resourceType}:${next.code}`);
    }
    for (let attempt = 0; attempt < 5 && made.length === 0; ++attempt) {
      const source = this.resource(this.chance.of(this.types));
      const [back, to] = this.link(source) ?? [];
      if (to?.resourceType === type) made.push(`_revinclude=${source.resourceType}:${back.code}`);
    }
    return made;
  }

  query() {
    const type = this.chance.of(this.types);
    const shape = this.chance.weighted([
      [12, 'type'],
      [1, 'compartment'],
      [1, 'system'],
    ]);
    if (shape === 'system') return this.systemQuery();
    let path = type;
    if (shape === 'compartment' && this.byType.has('Patient') && type !== 'Patient' && compartments.Patient[type])
      path = `Patient/${this.resource('Patient').id}/${type}`;
    const count = this.chance.weighted([
      [1, 0],
      [6, 1],
      [4, 2],
      [1, 3],
    ]);
    const parts = Array.from({ length: count }, () => this.criterion(type)).map(
      ({ key, value }) => `${key}=${encodeURIComponent(value)}`,
    );
    if (this.chance.oneIn(3)) parts.push(`_sort=${this.sort(type)}`);
    if (this.chance.oneIn(4)) parts.push(...this.includes(type));
    if (this.chance.oneIn(5)) parts.push('_total=accurate');
    if (this.chance.oneIn(40)) parts.push('_summary=count');
    return `${path}?${parts.join('&')}`;
  }

  systemQuery() {
    const types = [...new Set([this.chance.of(this.types), this.chance.of(this.types)])];
    const one = this.resource(types[0]);
    const rows = [
      [2, `_id=${one.id},${this.resource(this.chance.of(this.types)).id}`],
      [1, `_sort=${this.chance.of(['_id', '-_id', '_lastUpdated'])}`],
    ];
    if (one.meta?.lastUpdated)
      rows.push([2, `_lastUpdated=${encodeURIComponent(this.chance.of(['ge', 'lt', 'le']) + one.meta.lastUpdated)}`]);
    return `?_type=${types.join(',')}&${this.chance.weighted(rows)}`;
  }
}

function grouped(resources) {
  const groups = new Map();
  for (const one of resources) groups.set(one.resourceType, [...(groups.get(one.resourceType) ?? []), one]);
  return groups;
}

export function makeQueries(store, seed, count) {
  const generator = new Generator(store, seed);
  return Array.from({ length: count }, () => generator.query());
}

/**
 * One search for every parameter that the content of every resource feeds: [{ query, place }], the place among the
 * results. A parameter whose values name nothing that can be searched (a Reference with a display alone) is asked
 * for by :missing=false.
 */
export function makeFeeding(store, seed) {
  const generator = new Generator(store, seed);
  return store.all().flatMap((resource) =>
    generator
      .parameters(resource.resourceType)
      .filter((one) => (one.type === 'composite' ? rowsOf : elementsOf)(resource, one).length > 0)
      .map((parameter) => feeding(generator, parameter, resource)),
  );
}

function feeding(generator, parameter, resource) {
  const { resourceType, id } = resource;
  const place = `${resourceType}/${id}`;
  for (let attempt = 0; attempt < 30; ++attempt) {
    const { modifier, value } = generator.value(parameter, resource) ?? {};
    if (value === undefined) continue;
    const key = parameter.code + (modifier && `:${modifier}`);
    if (modifier === 'not' || !generator.store.holds(resource, parseCriterion(resourceType, key, value))) continue;
    return { query: `${resourceType}?${key}=${encodeURIComponent(value)}`, place };
  }
  const missing = parameter.type === 'composite' ? `_id=${id}` : `${parameter.code}:missing=false`;
  return { query: `${resourceType}?${missing}`, place };
}

function read(file) {
  const text = readFileSync(file, 'utf8');
  const found = file.endsWith('.ndjson')
    ? text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [JSON.parse(text)];
  return found
    .flatMap((one) => (one.resourceType === 'Bundle' ? (one.entry ?? []).map((entry) => entry.resource) : [one]))
    .filter((one) => one?.id);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    options: { seed: { type: 'string' }, count: { type: 'string', default: '20' } },
    allowPositionals: true,
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 32);
  console.error(`seed ${seed}`);
  for (const query of makeQueries(new Store(positionals.flatMap(read)), seed, Number(values.count))) console.log(query);
}
