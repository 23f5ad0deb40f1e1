// Numbers and quantities (3.1.1.4.6, 3.1.1.4.11). A target is { low, high } of exact decimals, both inclusive, an
// undefined limit is open: the range of the search value counts, not the precision with which a resource is written.
import { createRequire } from 'node:module';

import { add, compare, decimal, halfStep, magnitude, multiply, negated } from './decimals.mjs';

const ucum = createRequire(import.meta.url)('@lhncbc/ucum-lhc').UcumLhcUtils.getInstance();
export const UCUM = 'http://unitsofmeasure.org';

const least = (target, value) => (target.low === undefined ? -1 : compare(target.low, value));
const most = (target, value) => (target.high === undefined ? 1 : compare(target.high, value));

/** Compares by prefix; `scale` turns the limits of the search value into the target's unit. */
export function numberMatches(prefix, value, target, scale = (x) => x) {
  const exact = scale(value);
  const within = (low, high) => least(target, low) >= 0 && most(target, high) < 0;
  const step = halfStep(value);
  const equal = () => within(scale(add(value, negated(step))), scale(add(value, step)));
  switch (prefix) {
    case 'eq':
      return equal();
    case 'ne':
      return !equal();
    case 'gt':
      return most(target, exact) > 0;
    case 'lt':
      return least(target, exact) < 0;
    case 'ge':
      return most(target, exact) >= 0;
    case 'le':
      return least(target, exact) <= 0;
    case 'sa':
      return least(target, exact) > 0;
    case 'eb':
      return most(target, exact) < 0;
    default: {
      const tenth = multiply(magnitude(value), decimal('0.1'));
      // What is equal is approximately equal, too.
      const reach = compare(tenth, step) < 0 ? step : tenth;
      return most(target, scale(add(value, negated(reach)))) >= 0 && least(target, scale(add(value, reach))) <= 0;
    }
  }
}

const units = new Map();

/** A UCUM unit as { factor, offset, dimension } of base units, or undefined when it cannot be converted. */
export function unitOf(code) {
  if (!units.has(code)) units.set(code, readUnit(code));
  return units.get(code);
}

function readUnit(code) {
  // Celsius is the one special unit that is used in records; the others compare by their code alone.
  if (code === 'Cel') return { factor: decimal('1'), offset: decimal('273.15'), dimension: unitOf('K').dimension };
  const unit = ucum.getSpecifiedUnit(code, 'validate')?.unit;
  if (!unit || unit.cnv_ || unit.isArbitrary_ || !(unit.magnitude_ > 0)) return undefined;
  // The library computes in doubles; what it knows to twelve digits is exact from here on.
  return {
    factor: decimal(Number(unit.magnitude_.toPrecision(12))),
    offset: decimal('0'),
    dimension: String(unit.dim_),
  };
}

export const toBase = (unit, value) => add(multiply(value, unit.factor), unit.offset);

/** The targets of a Quantity, Age, Duration, Money or Range. */
export function targetsOf(value, type) {
  const limits = (low, high, quantity) => ({
    low,
    high,
    system: quantity.system,
    code: quantity.code,
    unit: quantity.unit,
  });
  if (type === 'Range') {
    const quantity = value.low ?? value.high;
    if (!quantity) return [];
    return [limits(number(value.low?.value), number(value.high?.value), quantity)];
  }
  if (type === 'Money') {
    const exact = number(value.value);
    return exact ? [limits(exact, exact, { system: 'urn:iso:std:iso:4217', code: value.currency })] : [];
  }
  const exact = number(value.value);
  if (!exact) return [];
  const isBelow = ['<', '<='].includes(value.comparator);
  const isAbove = ['>', '>='].includes(value.comparator);
  return [limits(isBelow ? undefined : exact, isAbove ? undefined : exact, value)];
}

const number = (value) => (value === undefined ? undefined : decimal(value));

/** search: { prefix, value, system, code } with undefined for what was not given. */
export function quantityMatches(search, target) {
  const { prefix, value, system, code } = search;
  if (!code && !system) return numberMatches(prefix, value, target);
  if (!system) return (target.code === code || target.unit === code) && numberMatches(prefix, value, target);
  if (target.system !== system) return false;
  if (!code || target.code === code) return numberMatches(prefix, value, target);
  if (system !== UCUM || !target.code) return false;
  const [from, to] = [unitOf(code), unitOf(target.code)];
  if (!from || !to || from.dimension !== to.dimension) return false;
  const based = { low: target.low && toBase(to, target.low), high: target.high && toBase(to, target.high) };
  return numberMatches(prefix, value, based, (limit) => toBase(from, limit));
}
