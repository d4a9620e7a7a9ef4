import { SednaError } from "@sedna-js/core";
import { readChunks } from "@sedna-js/core/async";
import { readRetryAfter } from "./retry-after.ts";

/** An HTTP request with a body. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** An HTTP request of any method. Default POST. */
export interface AnyHttpRequest extends Omit<HttpRequest, "body"> {
  readonly method?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** A response with its whole body; for an unsuccessful one the first 2 KiB of the body. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Options of {@link exchange}. */
export interface RequestOptions {
  /** Action for error messages, such as "call the big model". */
  readonly action: string;
  readonly signal: AbortSignal;
  /**
   * Maximum size of a response body, in bytes. A longer response is rejected without reading it to its end.
   */
  readonly maxReplyBytes: number;
  /** Called with the number of body bytes read when the request ends, whether it succeeded or not. */
  readonly onBytes?: (down: number) => void;
  readonly fetch: typeof globalThis.fetch;
}

const MAX_REFUSAL_BYTES = 2048;

/**
 * Sends a request and reads the response, with a bound on its size. A redirect is a failure: following it
 * could send the request's content, token included, to any host.
 *
 * @throws {SednaError} `cloud-unreachable` (no connection, truncated body, redirect) or `cloud-garbage`
 * (response too long), both retryable.
 */
export async function exchange(
  { method = "POST", url, headers, body }: AnyHttpRequest,
  { action, signal, maxReplyBytes, onBytes, fetch }: RequestOptions,
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
      throw new SednaError(`${action}: expected a response of at most ${maxReplyBytes} bytes; got more`, {
        code: "cloud-garbage",
        retryable: true,
      });
    return { ...answer, body: reply };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof SednaError) throw cause;
    // Node reports only "fetch failed"; the reason is in the error's cause.
    const { cause: inner } = cause instanceof Error ? cause : {};
    const why =
      [cause, inner]
        .filter((one) => one instanceof Error)
        .map(({ message }) => message)
        .filter(Boolean)
        .join(": ") || String(cause);
    throw new SednaError(`${action} at ${url}: expected a response; the connection failed: ${why}`, {
      code: "cloud-unreachable",
      retryable: true,
      cause,
    });
  } finally {
    onBytes?.(read.bytes);
  }
}

/**
 * Converts an unsuccessful response to an error: `cloud-busy` for 429, 503, and a 507 with `Retry-After`;
 * otherwise `cloud-refused`.
 */
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

/** Options of {@link readAtMost}. */
interface ReadAtMostOptions {
  readonly limit: number;
  readonly read: { bytes: number };
  readonly signal: AbortSignal;
}

/** Reads a body up to its limit. `read.bytes` counts the bytes received. */
async function readAtMost(
  response: Response,
  { limit, read, signal }: ReadAtMostOptions,
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
