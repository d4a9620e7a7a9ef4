import { SednaError } from "@sedna-js/core";
import { readChunks } from "@sedna-js/core/async";
import { readRetryAfter } from "./retry-after.ts";

/** One HTTP request that posts something. */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** One HTTP request of any method; default POST. */
export interface AnyExchange extends Omit<Exchange, "body"> {
  readonly method?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** A reply, read whole; of one that is no success, its first 2 KiB. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Options of {@link exchange}. */
export interface ExchangeOptions {
  /** What is being done, for the errors: "ask the big model". */
  readonly action: string;
  readonly signal: AbortSignal;
  /** A longer reply is garbage, and not read to its end. */
  readonly maxReplyBytes: number;
  /** Told once the request is over, whatever came of it: the bytes of the reply's body that were read. */
  readonly onBytes?: (down: number) => void;
  readonly fetch: typeof globalThis.fetch;
}

const MAX_REFUSAL_BYTES = 2048;

/**
 * Sends a request and reads the reply, whatever the other side does. A redirect is a failure: who follows one may take
 * what it carries, token included, to anyone.
 *
 * @throws {SednaError} `cloud-unreachable` (no connection, cut body, redirect), `cloud-garbage` (too long), retryable.
 */
export async function exchange(
  { method = "POST", url, headers, body }: AnyExchange,
  { action, signal, maxReplyBytes, onBytes, fetch }: ExchangeOptions,
): Promise<Reply> {
  const read = { bytes: 0 };
  try {
    const response = await fetch(url, { method, headers, ...(body && { body }), signal, redirect: "error" });
    const answer = { status: response.status, headers: response.headers };
    if (!response.ok)
      return {
        ...answer,
        body: await readAtMost(response, { limit: MAX_REFUSAL_BYTES, read, signal }).catch(
          () => new Uint8Array(),
        ),
      };
    const reply = await readAtMost(response, { limit: maxReplyBytes, read, signal });
    if (read.bytes > maxReplyBytes)
      throw new SednaError(`${action}: expected an answer of at most ${maxReplyBytes} bytes; got more`, {
        code: "cloud-garbage",
        retryable: true,
      });
    return { ...answer, body: reply };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof SednaError) throw cause;
    // Node says only "fetch failed", and why in the cause of that.
    const { cause: inner } = cause instanceof Error ? cause : {};
    const why =
      [cause, inner]
        .filter((one) => one instanceof Error)
        .map(({ message }) => message)
        .filter(Boolean)
        .join(": ") || String(cause);
    throw new SednaError(`${action} at ${url}: expected an answer; the connection failed: ${why}`, {
      code: "cloud-unreachable",
      retryable: true,
      cause,
    });
  } finally {
    onBytes?.(read.bytes);
  }
}

/** What a reply that is no success is as an error: `cloud-busy` (429, 503, and 507 when it has a time to come back), else `cloud-refused`. */
export function rejection(
  { status, headers, body }: Reply,
  { action, url }: { readonly action: string; readonly url: string },
): SednaError {
  const text = new TextDecoder().decode(body).slice(0, 200);
  const message = `${action} at ${url}: expected success; got ${status}${text ? `: ${text}` : ""}`;
  const retryAfterMs = readRetryAfter(headers.get("retry-after"), Date.now());
  const isBusy = status === 429 || status === 503 || (status === 507 && retryAfterMs !== undefined);
  if (!isBusy) return new SednaError(message, { code: "cloud-refused", retryable: status >= 500 });
  return new SednaError(message, {
    code: "cloud-busy",
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** A body up to its limit; `read` tells how much came of it. */
async function readAtMost(
  response: Response,
  {
    limit,
    read,
    signal,
  }: { readonly limit: number; readonly read: { bytes: number }; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(response, signal)) {
    chunks.push(chunk.subarray(0, limit - read.bytes));
    read.bytes += chunk.length;
    if (read.bytes > limit) break;
  }
  const body = new Uint8Array(Math.min(limit, read.bytes));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
