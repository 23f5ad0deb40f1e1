// Whether one element satisfies one value of a parameter.
import { parameterByUrl } from './definitions.mjs';
import { dateMatches, rangeOf, rangeOfPeriod, rangeOfTiming } from './dates.mjs';
import { elementsOf, rowsOf } from './elements.mjs';
import { decimal } from './decimals.mjs';
import { numberMatches, quantityMatches, targetsOf } from './numbers.mjs';
import { canonicalMatches, isCanonical, referenceMatches } from './references.mjs';
import { textMatches, textsOf } from './text.mjs';
import { elementMatches, parseToken, tokenMatches } from './tokens.mjs';

export function rangeOfElement({ type, value }) {
  if (type === 'Period') return rangeOfPeriod(value);
  if (type === 'Timing') return rangeOfTiming(value);
  if (typeof value !== 'string') return undefined;
  const range = rangeOf(value);
  // An instant has "an effective width of 0" (3.1.1.4.7).
  return type === 'instant' && range ? { low: range.low, high: range.low } : range;
}

const uriMatches = (modifier, wanted, text) => {
  const isUrl = (one) => !one.startsWith('urn:');
  if (modifier === 'below') return isUrl(wanted) && text.startsWith(wanted);
  if (modifier === 'above') return isUrl(text) && wanted.startsWith(text);
  return text === wanted;
};

/** `context` is { base, now, terminology, isWithin(type, upper, lower) }. */
export function valueMatches(parameter, modifier, value, element, context) {
  switch (parameter.type) {
    case 'string':
      return textsOf(element).some((text) => textMatches(modifier, value, text));
    case 'token':
      return elementMatches(modifier, value, element, context);
    case 'date': {
      const range = rangeOfElement(element);
      return range !== undefined && dateMatches(value.prefix, value.value, range, context.now);
    }
    case 'number': {
      const exact = decimal(element.value);
      return exact !== undefined && numberMatches(value.prefix, value.value, { low: exact, high: exact });
    }
    case 'quantity':
      return targetsOf(element.value, element.type).some((target) => quantityMatches(value, target));
    case 'uri': {
      if (element.type === 'canonical' && modifier === '') return canonicalMatches('', value, element.value);
      return typeof element.value === 'string' && uriMatches(modifier, value, element.value);
    }
    case 'reference':
      return matchesReference(modifier, value, element, context);
    default:
      return false;
  }
}

function matchesReference(modifier, value, element, context) {
  if (modifier === 'identifier') {
    const { identifier } = element.value;
    return (
      identifier?.value !== undefined &&
      tokenMatches(parseToken(value), { system: identifier.system, code: identifier.value })
    );
  }
  if (isCanonical(element.type)) return canonicalMatches(modifier, value, element.value);
  if (modifier === 'above' || modifier === 'below') return context.isWithin(modifier, value, element);
  return referenceMatches(value, modifier || undefined, element, context.base);
}

/** Whether a resource has an element, or for composites a row, that satisfies one value. */
export function resourceMatches(parameter, modifier, value, resource, context) {
  if (parameter.type !== 'composite') {
    return elementsOf(resource, parameter).some((element) =>
      valueMatches(parameter, modifier, value, element, context),
    );
  }
  const parts = parameter.component.map(({ definition }) => parameterByUrl(definition));
  return rowsOf(resource, parameter).some((row) =>
    row.every((elements, index) =>
      elements.some((element) => valueMatches(parts[index], '', value[index], element, context)),
    ),
  );
}
