// Dates as ranges of nanoseconds since 1970-01-01T00:00Z: [low, high), a point when low equals high.
// A value without a time zone is in UTC, the local zone of the servers that the tests start (3.1.1.4.7).

const SHAPE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9})\d*)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;
const SECOND = 1000000000n;
export const PAST = -(10n ** 30n);
export const FUTURE = 10n ** 30n;

function midnight(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return {
    time: BigInt(date.getTime()) * 1000000n,
    isReal: date.getUTCDate() === day && date.getUTCMonth() === month - 1,
  };
}

/** The range that a date, dateTime or instant stands for by its precision; undefined when it is none. */
export function rangeOf(text) {
  const found = SHAPE.exec(text);
  if (!found) return undefined;
  const [year, month, day, hour, minute, second] = found
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const [fraction, zone] = found.slice(7);
  if (month === undefined) return { low: midnight(year, 1, 1).time, high: midnight(year + 1, 1, 1).time };
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) {
    const next = month === 12 ? midnight(year + 1, 1, 1) : midnight(year, month + 1, 1);
    return { low: midnight(year, month, 1).time, high: next.time };
  }
  const start = midnight(year, month, day);
  if (!start.isReal) return undefined;
  if (hour === undefined) return { low: start.time, high: start.time + 86400n * SECOND };
  if (hour > 23 || minute > 59 || (second ?? 0) > 60) return undefined;
  const offset =
    !zone || zone === 'Z' ? 0 : (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  const low =
    start.time +
    BigInt(hour * 3600 + minute * 60 + (second ?? 0) - offset * 60) * SECOND +
    BigInt((fraction ?? '').padEnd(9, '0') || 0);
  const width = second === undefined ? 60n * SECOND : 10n ** BigInt(9 - (fraction?.length ?? 0));
  return { low, high: low + width };
}

/** Period: explicit, a missing limit is open (3.1.1.4.7). */
export function rangeOfPeriod(period) {
  const start = period.start && rangeOf(period.start);
  const end = period.end && rangeOf(period.end);
  if (!start && !end) return undefined;
  return { low: start ? start.low : PAST, high: end ? end.high : FUTURE };
}

/** Timing: "only the outer limits matter". Undefined when it names no limit. */
export function rangeOfTiming(timing) {
  const ranges = (timing.event ?? []).filter((event) => typeof event === 'string').map(rangeOf);
  if (timing.repeat?.boundsPeriod) ranges.push(rangeOfPeriod(timing.repeat.boundsPeriod));
  return ranges
    .filter(Boolean)
    .reduce(
      (all, one) =>
        all ? { low: one.low < all.low ? one.low : all.low, high: one.high > all.high ? one.high : all.high } : one,
      undefined,
    );
}

const isPoint = (range) => range.low === range.high;
const contains = (outer, inner) =>
  inner.low >= outer.low && (isPoint(inner) ? inner.low < outer.high : inner.high <= outer.high);
// Above begins where the search value's range ends, below ends where it begins: 2013-01-14 is not after itself.
const reachesAbove = (target, search) => (isPoint(target) ? target.low >= search.high : target.high > search.high);
const reachesBelow = (target, search) => target.low < search.low;
const overlaps = (a, b) => !(isBefore(a, b) || isBefore(b, a));
const isBefore = (a, b) => (isPoint(a) ? a.low < b.low : a.high <= b.low);

/** The third column of the table in 3.1.1.4.5. `now` is needed by ap: ten percent of the gap between now and the date. */
export function dateMatches(prefix, search, target, now) {
  switch (prefix) {
    case 'eq':
      return contains(search, target);
    case 'ne':
      return !contains(search, target);
    case 'gt':
      return reachesAbove(target, search);
    case 'lt':
      return reachesBelow(target, search);
    case 'ge':
      return reachesAbove(target, search) || contains(search, target);
    case 'le':
      return reachesBelow(target, search) || contains(search, target);
    case 'sa':
      return target.low >= search.high;
    case 'eb':
      return isBefore(target, search);
    default: {
      const distance = (edge) => (now > edge ? now - edge : edge - now) / 10n;
      return overlaps({ low: search.low - distance(search.low), high: search.high + distance(search.high) }, target);
    }
  }
}
