import { SednaError } from "@sedna-js/core";
import { readChunks, withDeadline } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import { readRetryAfter } from "../http/retry-after.ts";

const MAX_BYTES = 2 ** 20;

/** Options of {@link fetchSmall}. */
interface FetchSmallOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** What `fail` takes. */
interface FailOptions {
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * Fetches a small file, such as a manifest, and bypasses every cache: a stale file would hide the new
 * version.
 * @throws {SednaError} `model-unreadable`; retryable if the network or the server failed.
 */
export async function fetchSmall(
  url: string,
  { fetch, deadlineMs, signal }: FetchSmallOptions,
): Promise<Uint8Array> {
  const fail = (got: string, options: FailOptions): SednaError =>
    new SednaError(`fetch ${url}: expected a small file; got ${got}`, {
      code: "model-unreadable",
      ...options,
    });
  const read = async (limit: AbortSignal): Promise<Uint8Array> => {
    const response = await fetch(url, { signal: limit, cache: "no-store" });
    if (response.status !== 200) {
      await response.body?.cancel();
      const retryAfterMs = readRetryAfter(response.headers.get("retry-after"), Date.now());
      throw fail(`status ${response.status}`, {
        retryable: response.status >= 500 || response.status === 429,
        retryAfterMs,
      });
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const piece of readChunks(response, limit)) {
      length += piece.length;
      if (length > MAX_BYTES) throw fail(`more than ${MAX_BYTES} bytes`, { retryable: false });
      chunks.push(piece);
    }
    const whole = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  };
  try {
    return await withDeadline(read, { deadlineMs, action: `fetch ${url}`, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof SednaError && cause.code !== "cloud-timeout") throw cause;
    throw fail(messageOf(cause), { retryable: true, cause });
  }
}
