// Exact decimals: { m: BigInt, e: integer } is m * 10^e. The exponent keeps the written precision: "1.50" is 150e-2.

const SHAPE = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/** A decimal from its text, or undefined. */
export function decimal(text) {
  const found = SHAPE.exec(String(text));
  if (!found) return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = found;
  const m = BigInt(whole + fraction);
  return { m: sign === '-' ? -m : m, e: Number(exponent) - fraction.length };
}

const aligned = (a, b) => {
  const e = Math.min(a.e, b.e);
  return [a.m * 10n ** BigInt(a.e - e), b.m * 10n ** BigInt(b.e - e), e];
};

/** Negative, zero or positive, as a is less than, equal to or greater than b. */
export function compare(a, b) {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function add(a, b) {
  const [x, y, e] = aligned(a, b);
  return { m: x + y, e };
}

export const multiply = (a, b) => ({ m: a.m * b.m, e: a.e + b.e });
export const negated = (a) => ({ m: -a.m, e: a.e });
export const magnitude = (a) => ({ m: a.m < 0n ? -a.m : a.m, e: a.e });

/** Half a unit of the last written digit (3.1.1.4.6: 100 stands for [99.5, 100.5), 100.00 for [99.995, 100.005)). */
export const halfStep = (a) => ({ m: 5n, e: a.e - 1 });

/** For messages and keys: plain text without exponent, trailing zeros removed. */
export function textOf(a) {
  let { m, e } = a;
  if (m === 0n) return '0';
  while (m % 10n === 0n) [m, e] = [m / 10n, e + 1];
  return `${m}e${e}`;
}
