import { SednaError } from "../../errors.ts";

/** A reply of S3 that is no success. */
export interface S3Failure {
  readonly error: SednaError;
  /** S3's own word for it, such as `NoSuchKey`. */
  readonly code: string;
  /** The server's clock, unix ms, where it found ours too far off. */
  readonly serverTime: number | undefined;
}

const MAX_BYTES = 4096;
const REGION = "; is it another region?";
/** What to look at, by S3's word or by the status. */
const hints: Readonly<Record<string, string>> = {
  // Answered for a key that is not there too, to who may not list the bucket.
  AccessDenied: "; does the bucket's policy allow it, and is the key there?",
  SignatureDoesNotMatch: "; is the secret key right?",
  InvalidAccessKeyId: "; is the access key right?",
  NoSuchBucket: "; is the bucket there?",
  AuthorizationHeaderMalformed: REGION,
  PermanentRedirect: REGION,
  TemporaryRedirect: REGION,
  // What a page is shown of a redirect.
  0: REGION,
  301: REGION,
  307: REGION,
};
/** What came was not what was sent. */
const SPOILED = ["XAmzContentSHA256Mismatch", "BadDigest", "IncompleteBody", "RequestTimeout"];

/**
 * Reads what S3 says of a failure: `cloud-busy` (429, 503), else `cloud-refused`, retryable from 500 on and
 * where the body was spoiled on its way.
 */
export async function s3Failure(response: Response, action: string): Promise<S3Failure> {
  const { status } = response;
  const text = await readStart(response);
  const word = (tag: string): string | undefined =>
    new RegExp(`<${tag}>([^<]{1,200})</${tag}>`).exec(text)?.[1];
  // Not every server says it in a body.
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

/** What came of a failure's body before it broke off, or was enough. */
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
