// Strings (3.1.1.4.8): case, combining characters, punctuation and repeated blanks do not count.

/** The text that two strings share when a search must not tell them apart. */
export function folded(text) {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}\p{P}]/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
}

const NAME_PARTS = ['text', 'family', 'given', 'prefix', 'suffix'];
const ADDRESS_PARTS = ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'];

const strings = (value, parts) =>
  parts
    .flatMap((part) => value[part] ?? [])
    .filter((text) => typeof text === 'string')
    .map((text) => ({ text }));

const laterWords = (family) =>
  (family ?? '')
    .split(/\s+/u)
    .slice(1)
    .map((text) => ({ text, isLaterWord: true }));

/** The texts of an element: { text } each; "Quinones" finds the family name "Carreno Quinones", too. */
export function textsOf({ value, type, path }) {
  if (type === 'HumanName') return [...strings(value, NAME_PARTS), ...laterWords(value.family)];
  if (type === 'Address') return strings(value, ADDRESS_PARTS);
  if (typeof value !== 'string') return [];
  return [{ text: value }, ...(path === 'HumanName.family' ? laterWords(value) : [])];
}

export function textMatches(modifier, wanted, { text, isLaterWord }) {
  if (modifier === 'exact') return !isLaterWord && text === wanted;
  if (modifier === 'contains') return folded(text).includes(folded(wanted));
  return folded(text).startsWith(folded(wanted));
}
