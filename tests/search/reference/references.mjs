// References (3.1.1.4.12, 3.1.1.4.13): what their text points to.
import { TYPES } from './definitions.mjs';

const LOCAL = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/;

/** { type, id, version } of a reference to this server, { contained } of "#x", { url } of anything else. */
export function parseReference(text, base = '') {
  if (text.startsWith('#')) return { contained: text.slice(1) };
  const isHere = base && text.startsWith(`${base}/`);
  const found = LOCAL.exec(isHere ? text.slice(base.length + 1) : text);
  if (found && TYPES.has(found[1])) return { type: found[1], id: found[2], version: found[3] };
  const elsewhere = /^(?:https?:\/\/.*\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/.*)?$/.exec(text);
  return text ? { url: text, ...(elsewhere && TYPES.has(elsewhere[1]) && { type: elsewhere[1] }) } : undefined;
}

export function parseCanonical(text) {
  const bar = text.indexOf('|');
  return bar < 0 ? { url: text } : { url: text.slice(0, bar), version: text.slice(bar + 1) };
}

export const isCanonical = (type) => type === 'canonical' || type === 'uri' || type === 'url';

/** A canonical that is searched without version means every version; with :below the version is a left part of it. */
export function canonicalMatches(modifier, wanted, text) {
  const [search, target] = [parseCanonical(wanted), parseCanonical(text)];
  if (search.url !== target.url) return false;
  if (search.version === undefined) return true;
  if (target.version === undefined) return false;
  if (modifier !== 'below') return search.version === target.version;
  return target.version === search.version || target.version.startsWith(`${search.version}.`);
}

/** Whether the element (a Reference, or a nested resource) is what `wanted` names; `type` is that of :[type]. */
export function referenceMatches(wanted, type, element, base) {
  const target = pointsTo(element, base);
  if (!target) return false;
  const search = parseReference(wanted, base);
  if (search?.id === undefined) {
    const isId = /^[A-Za-z0-9.-]{1,64}$/.test(wanted);
    if (!isId) return target.url === wanted;
    return target.id === wanted && (!type || target.type === type);
  }
  return (
    target.id === search.id &&
    target.type === search.type &&
    (!type || target.type === type) &&
    (search.version === undefined || target.version === search.version)
  );
}

/** Like parseReference, of an element that a reference parameter selects. */
export function pointsTo(element, base) {
  const { value } = element;
  if (value?.resourceType) return { type: value.resourceType, id: value.id, nested: value };
  return typeof value?.reference === 'string' ? parseReference(value.reference, base) : undefined;
}
