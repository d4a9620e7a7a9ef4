/** Returns whether the header `If-None-Match` matches the current `etag`. */
export function isKnown(header: string | undefined, etag: string): boolean {
  return (
    header !== undefined &&
    (header.trim() === "*" || header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag))
  );
}

/** Method and headers of a range request. */
export interface RangeRequest {
  readonly method: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/**
 * Returns the single range that a request asks for; `"outside"` if the range contains no byte of the content;
 * `undefined` if the whole content is to be sent, which a server may always do. Source: RFC 9110, 14.
 */
export function readRange(
  { method, range, ifRange }: RangeRequest,
  { size, etag }: { readonly size: number; readonly etag: string },
): { readonly start: number; readonly end: number } | "outside" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? "");
  if (!match || method === "HEAD" || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return undefined;
  if (from === "")
    return Number(to) === 0 || size === 0 ? "outside" : { start: Math.max(0, size - Number(to)), end: size };
  if (to !== "" && Number(to) < Number(from)) return undefined;
  return Number(from) >= size
    ? "outside"
    : { start: Number(from), end: to === "" ? size : Math.min(size, Number(to) + 1) };
}
