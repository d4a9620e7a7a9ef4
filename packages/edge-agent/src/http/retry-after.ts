/**
 * A `Retry-After` header in ms: seconds, or an HTTP date, counted from `now` in Unix ms. Undefined where there is none or
 * nothing that can be read. Source: RFC 9110, 10.2.3.
 */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = /[a-z]{3}/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
