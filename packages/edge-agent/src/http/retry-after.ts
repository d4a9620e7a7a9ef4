/**
 * Returns the delay of a `Retry-After` header in ms. The header holds seconds or an HTTP date, which is
 * relative to `now` (unix time in ms). Returns `undefined` if the header is missing or invalid.
 *
 * Source: RFC 9110, 10.2.3.
 */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = /[a-z]{3}/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
