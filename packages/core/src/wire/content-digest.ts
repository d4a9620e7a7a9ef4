/** The header that carries {@link contentDigest}. Source: RFC 9530. */
export const CONTENT_DIGEST = "content-digest";

/** The value of `Content-Digest` for a body of the given SHA-256: what TCP's checksum misses, and a plain proxy spoils, is found by it. */
export function contentDigest(sha256: Uint8Array): string {
  return `sha-256=:${btoa(String.fromCharCode(...sha256))}:`;
}
