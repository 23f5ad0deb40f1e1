// Tokens (3.1.1.4.10). A token is { system, code, text } or, for elements without a system, { plain }.
import { systemsOfCode } from './definitions.mjs';
import { textMatches } from './text.mjs';

/** The tokens of one element. `systems` are the implicit ones of a code. */
export function tokensOf({ type, value, path }) {
  switch (type) {
    case 'CodeableConcept':
      return (value.coding ?? []).map(coded);
    case 'Coding':
      return [coded(value)];
    case 'Identifier':
      return value.value === undefined ? [] : [{ system: value.system, code: value.value }];
    case 'ContactPoint':
      return value.value === undefined ? [] : [{ plain: value.value }];
    case 'code':
      return [{ systems: systemsOfCode(path), code: value }];
    case 'string':
    case 'markdown':
      return [{ plain: value, ignoresCase: true }];
    default:
      return typeof value === 'object' ? [] : [{ plain: String(value) }];
  }
}

const coded = ({ system, code }) => ({ system, code });

function textsOfToken({ type, value }) {
  const texts = {
    CodeableConcept: () => [value.text, ...(value.coding ?? []).map((coding) => coding.display)],
    Coding: () => [value.display],
    Identifier: () => [value.type?.text],
    string: () => [value],
  };
  return (texts[type]?.() ?? []).filter((text) => typeof text === 'string');
}

/** The search value "[system]|[code]": system is undefined when there is no bar, '' for "|code". */
export function parseToken([first, second]) {
  return second === undefined ? { code: first } : { system: first, code: second };
}

export function tokenMatches(search, token) {
  if (token.plain !== undefined) {
    if (search.system !== undefined) return false;
    return token.ignoresCase ? token.plain.toLowerCase() === search.code.toLowerCase() : token.plain === search.code;
  }
  if (search.code !== '' && token.code !== search.code) return false;
  if (search.system === undefined) return search.code !== '';
  if (token.systems) return search.system !== '' && token.systems.includes(search.system);
  return search.system === '' ? token.system === undefined : token.system === search.system;
}

/** Tests one value (split at its bars) of a token parameter against one element. */
export function elementMatches(modifier, parts, element, context) {
  switch (modifier) {
    case 'text':
      return textsOfToken(element).some((text) => textMatches('', parts.join('|'), { text }));
    case 'of-type':
      return isOfType(parts, element);
    case 'in':
    case 'not-in':
      return isIn(parts, element, context);
    case 'above':
    case 'below':
      return isRelated(modifier, parts, element, context);
    default:
      return tokensOf(element).some((token) => tokenMatches(parseToken(parts), token));
  }
}

function isOfType([system, code, wanted], { type, value }) {
  if (type !== 'Identifier' || value.value !== wanted) return false;
  return (value.type?.coding ?? []).some((coding) => coding.system === system && coding.code === code);
}

/** system and code pairs of a token, one per implicit system of a code. */
const pairsOf = (token) =>
  token.systems?.length
    ? token.systems.map((system) => ({ system, code: token.code }))
    : [{ system: token.system, code: token.code ?? token.plain }];

function isIn(parts, element, { terminology, base }) {
  const valueSet = terminology.valueSet(parts.join('|'), base);
  if (!valueSet) return false;
  return tokensOf(element)
    .flatMap(pairsOf)
    .some((pair) => pair.code !== undefined && pair.system !== undefined && terminology.holds(valueSet, pair));
}

/** :below - the resource's code is subsumed by the searched one; :above - it subsumes it. Mime types: their left part. */
function isRelated(modifier, parts, element, { terminology }) {
  const search = parseToken(parts);
  return tokensOf(element)
    .flatMap(pairsOf)
    .some(({ system, code }) => {
      if (code === undefined || (search.system && search.system !== system)) return false;
      if (element.path.endsWith('.contentType')) {
        return modifier === 'below' ? code.startsWith(search.code) : search.code.startsWith(code);
      }
      const [upper, lower] = modifier === 'below' ? [search.code, code] : [code, search.code];
      return terminology.subsumes(system, upper, lower);
    });
}
