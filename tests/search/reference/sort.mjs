// The order of _sort (3.1.1.5.1): by the value that comes first in the wanted direction; resources without a value
// come last in both directions; equal ones are one group, in any order.
import { rangeOfElement } from './match.mjs';
import { elementsOf } from './elements.mjs';
import { compare, decimal } from './decimals.mjs';
import { targetsOf, toBase, UCUM, unitOf } from './numbers.mjs';
import { pointsTo } from './references.mjs';
import { folded, textsOf } from './text.mjs';
import { tokensOf } from './tokens.mjs';

const byText = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const byBigInt = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const ORDERS = {
  string: {
    keys: (e) =>
      textsOf(e)
        .filter((t) => !t.isLaterWord)
        .map((t) => folded(t.text)),
    order: byText,
  },
  token: {
    keys: (e) =>
      tokensOf(e)
        .map((token) => token.code ?? token.plain)
        .filter(Boolean),
    order: byText,
  },
  uri: { keys: (e) => [e.value], order: byText },
  date: { keys: (e) => [rangeOfElement(e)?.low].filter((low) => low !== undefined), order: byBigInt },
  number: { keys: (e) => [decimal(e.value)].filter(Boolean), order: compare },
  quantity: { keys: (e) => targetsOf(e.value, e.type).map(canonicalOf).filter(Boolean), order: compare },
  reference: { keys: (e) => [placeOf(e)].filter(Boolean), order: byText },
};

function canonicalOf({ low, high, system, code }) {
  const unit = system === UCUM && code && unitOf(code);
  const value = low ?? high;
  return unit ? toBase(unit, value) : value;
}

function placeOf(element) {
  if (typeof element.value === 'string') return element.value;
  const target = pointsTo(element, '');
  return target && (target.id ? `${target.type}/${target.id}` : target.url);
}

/** The key of a resource: its first value in that direction, or undefined. */
function keyOf(resource, parameter, down) {
  const { keys, order } = ORDERS[parameter.type];
  const found = elementsOf(resource, parameter).flatMap(keys).sort(order);
  return down ? found.at(-1) : found[0];
}

/** Groups of resources, in order. `rules` are { parameter of a type, down }. */
export function sorted(resources, rules) {
  const rows = resources.map((resource) => ({
    resource,
    keys: rules.map((rule) => keyOf(resource, rule.parameter(resource), rule.down)),
  }));
  const order = (a, b) => {
    for (const [index, rule] of rules.entries()) {
      const [x, y] = [a.keys[index], b.keys[index]];
      if (x === undefined && y === undefined) continue;
      if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
      const found = ORDERS[rule.type].order(x, y);
      if (found !== 0) return rule.down ? -found : found;
    }
    return 0;
  };
  const groups = [];
  let last;
  for (const row of rows.sort(order)) {
    if (last && order(last, row) === 0) groups.at(-1).push(row.resource);
    else groups.push([row.resource]);
    last = row;
  }
  return groups;
}
