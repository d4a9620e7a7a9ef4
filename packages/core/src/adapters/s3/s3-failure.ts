import { SednaError } from "../../errors.ts";

/** A failed response of S3. */
export interface S3Failure {
  readonly error: SednaError;
  /** S3's error code, such as `NoSuchKey`. */
  readonly code: string;
  /** The server's clock in Unix ms, if the server rejected the request's time. */
  readonly serverTime: number | undefined;
}

const MAX_BYTES = 4096;
const REGION = "; is it another region?";
/** What to check, by S3's error code or by the status. */
const hints: Readonly<Record<string, string>> = {
  // Also returned for a missing key, if the caller may not list the bucket.
  AccessDenied: "; does the bucket's policy allow it, and does the key exist?",
  SignatureDoesNotMatch: "; is the secret key right?",
  InvalidAccessKeyId: "; is the access key right?",
  NoSuchBucket: "; does the bucket exist?",
  AuthorizationHeaderMalformed: REGION,
  PermanentRedirect: REGION,
  TemporaryRedirect: REGION,
  // Statuses of a redirect; a web page sees 0.
  0: REGION,
  301: REGION,
  307: REGION,
};
/** Error codes of a body that was corrupted in transit. */
const SPOILED = ["XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody", "RequestTimeout"];

/**
 * Reads S3's error response: `cloud-busy` for 429 and 503, else `cloud-refused`. Retryable if busy, from
 * status 500 on, and if the body was corrupted in transit.
 */
export async function s3Failure(response: Response, action: string): Promise<S3Failure> {
  const { status } = response;
  const text = await readStart(response);
  const word = (tag: string): string | undefined =>
    new RegExp(`<${tag}>([^<]{1,200})</${tag}>`).exec(text)?.[1];
  // Not every server sends the code in the body.
  const code = word("Code") ?? (status === 404 ? "NoSuchKey" : "");
  const message = `${action}: expected success; got ${status}${code && ` ${code}`}${hints[code] ?? hints[status] ?? ""}${word("Message") ? ` (${word("Message")})` : ""}`;
  const isBusy = status === 429 || status === 503;
  const seconds = /^\d{1,6}$/.exec(response.headers.get("retry-after") ?? "")?.[0];
  const serverTime =
    code === "RequestTimeTooSkewed"
      ? Date.parse(word("ServerTime") ?? response.headers.get("date") ?? "")
      : NaN;
  return {
    error: new SednaError(message, {
      code: isBusy ? "cloud-busy" : "cloud-refused",
      retryable: isBusy || status >= 500 || SPOILED.includes(code),
      ...(isBusy && seconds !== undefined && { retryAfterMs: Number(seconds) * 1000 }),
    }),
    code,
    serverTime: Number.isFinite(serverTime) ? serverTime : undefined,
  };
}

/**
 * Returns the start of an error response's body: what was read before the limit, or before the connection
 * broke.
 */
async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (
      let next = await reader?.read();
      next && !next.done && text.length < MAX_BYTES;
      next = await reader?.read()
    )
      text += decoder.decode(next.value);
    await reader?.cancel();
  } catch {
    // The status says enough.
  }
  return text.slice(0, MAX_BYTES);
}
