// From the text of a query to its criteria. Splitting follows 3.1.1.4.19: "\" takes the meaning of , $ and | away.
import { TYPES, compartments, parameterByUrl, parameterOf } from './definitions.mjs';
import { rangeOf } from './dates.mjs';
import { decimal } from './decimals.mjs';

/** A query that a server must refuse. */
export class QueryError extends Error {}

const RESULT = new Set([
  '_count',
  '_total',
  '_format',
  '_pretty',
  '_elements',
  '_summary',
  '_sort',
  '_include',
  '_revinclude',
]);
const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(.*)$/s;
const MODIFIERS = {
  string: ['exact', 'contains'],
  token: ['text', 'not', 'in', 'not-in', 'above', 'below', 'of-type'],
  uri: ['above', 'below'],
  reference: ['identifier', 'above', 'below'],
};

export function splitAt(separator, text) {
  const [parts, escaped] = [[''], /\\[\s\S]|[\s\S]/gu];
  for (const [piece] of text.matchAll(escaped)) {
    if (piece === separator) parts.push('');
    else parts[parts.length - 1] += piece;
  }
  return parts;
}

export const plain = (text) => text.replace(/\\([\s\S])/gu, '$1');
export const escaped = (text) => text.replace(/[\\$|,]/g, '\\$&');

/** { scope, types, compartment, criteria: [[key, value]], sort, includes, revincludes, summary } */
export function parseQuery(query) {
  const [path, search = ''] = query.split(/\?(.*)/s);
  const parsed = { criteria: [], sort: [], includes: [], isCountOnly: false, ...parsePath(path.replace(/^\//, '')) };
  for (const [key, value] of new URLSearchParams(search)) {
    const [name, modifier] = key.split(':');
    if (value === '') continue;
    if (name === '_type') parsed.types = splitAt(',', value);
    else if (name === '_sort')
      parsed.sort = splitAt(',', value).map((code) => ({ code: code.replace(/^-/, ''), down: code.startsWith('-') }));
    else if (name === '_include' || name === '_revinclude') parsed.includes.push(parseInclude(name, modifier, value));
    else if (!RESULT.has(name)) parsed.criteria.push([key, value]);
    if (key === '_count' && value === '0') parsed.isCountOnly = true;
    if (key === '_summary' && value === 'count') parsed.isCountOnly = true;
  }
  if (parsed.types?.some((type) => !TYPES.has(type))) throw new QueryError('unknown type');
  return parsed;
}

function parsePath(path) {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return {};
  if (parts.length === 1) return { types: [parts[0]] };
  if (parts.length !== 3 || !compartments[parts[0]]) throw new QueryError('not a search');
  const compartment = { type: parts[0], id: parts[1] };
  return parts[2] === '*' ? { compartment } : { compartment, types: [parts[2]] };
}

function parseInclude(name, modifier, value) {
  const [source, code, target] = value === '*' ? [undefined, '*'] : value.split(':');
  if (!code || (source && !TYPES.has(source)) || (target && !TYPES.has(target))) throw new QueryError('bad include');
  if (code !== '*' && parameterOf(source, code)?.type !== 'reference') throw new QueryError('bad include');
  if (modifier && modifier !== 'iterate') throw new QueryError('unknown modifier');
  return { isReverse: name === '_revinclude', isIterated: modifier === 'iterate', source, code, target };
}

/** One criterion of a search on `type`. */
export function parseCriterion(type, key, value) {
  if (key.startsWith('_has:')) return parseHas(key, value);
  if (key === '_list') return { kind: 'list', lists: splitAt(',', value).map(plain) };
  const [first, rest] = key.split(/\.(.*)/s);
  const [code, modifier = ''] = first.split(/:(.*)/s);
  const parameter = parameterOf(type, code);
  if (!parameter?.expression || parameter.type === 'special') throw new QueryError(`unknown parameter ${type}.${code}`);
  if (rest !== undefined) {
    if (parameter.type !== 'reference' || (modifier && !TYPES.has(modifier))) throw new QueryError('not a chain');
    return { kind: 'chain', parameter, target: modifier || undefined, key: rest, value };
  }
  if (modifier && parameter.type === 'composite') throw new QueryError('composites have no modifiers');
  if (modifier === 'missing') {
    if (value !== 'true' && value !== 'false') throw new QueryError('missing is true or false');
    return { kind: 'missing', parameter, wanted: value === 'true' };
  }
  const isType = parameter.type === 'reference' && TYPES.has(modifier);
  if (modifier && !isType && !(MODIFIERS[parameter.type] ?? []).includes(modifier))
    throw new QueryError('unknown modifier');
  return {
    kind: 'parameter',
    parameter,
    modifier,
    values: splitAt(',', value).map((one) => parseValue(parameter, modifier, one)),
  };
}

function parseHas(key, value) {
  const [, type, code, ...rest] = key.split(':');
  const reference = parameterOf(type, code);
  if (reference?.type !== 'reference' || rest.length === 0) throw new QueryError('bad _has');
  return { kind: 'has', type, reference, key: rest.join(':'), value };
}

/** One value of a parameter, after the commas are gone. */
export function parseValue(parameter, modifier, text) {
  switch (parameter.type) {
    case 'token':
      return splitAt('|', text).map(plain);
    case 'number':
      return prefixed(text, (rest) => ({ value: decimal(plain(rest)) }));
    case 'quantity':
      return prefixed(text, parseQuantity);
    case 'date':
      return prefixed(text, (rest) => ({ value: rangeOf(plain(rest)) }));
    case 'composite':
      return parseComposite(parameter, text);
    case 'reference':
      return modifier === 'identifier' ? splitAt('|', text).map(plain) : plain(text);
    default:
      return plain(text);
  }
}

function prefixed(text, parse) {
  const [, prefix, rest] = PREFIXED.exec(text) ?? [null, 'eq', text];
  const parsed = parse(rest);
  if (parsed.value === undefined) throw new QueryError('bad value');
  return { prefix, ...parsed };
}

function parseQuantity(text) {
  const [value, system, code] = splitAt('|', text).map(plain);
  return { value: decimal(value), system: system || undefined, code: code || undefined };
}

function parseComposite(parameter, text) {
  const parts = splitAt('$', text);
  if (parts.length !== parameter.component.length) throw new QueryError('bad composite');
  return parts.map((part, index) => parseValue(parameterByUrl(parameter.component[index].definition), '', part));
}
