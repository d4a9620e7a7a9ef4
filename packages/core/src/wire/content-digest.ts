/** Header that carries {@link contentDigest}. Source: RFC 9530. */
export const CONTENT_DIGEST = "content-digest";

/**
 * Returns the value of `Content-Digest` for a body with the given SHA-256. It detects errors that TCP's
 * checksum misses or that an HTTP proxy causes.
 */
export function contentDigest(sha256: Uint8Array): string {
  return `sha-256=:${btoa(String.fromCharCode(...sha256))}:`;
}
