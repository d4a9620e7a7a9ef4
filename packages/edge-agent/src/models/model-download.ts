import { SednaError } from "@sedna-js/core";
import { backoff, readChunks } from "@sedna-js/core/async";
import { messageOf } from "@sedna-js/core/errors";
import type { ModelFile } from "@sedna-js/core/wire";
import { readRetryAfter } from "../http/retry-after.ts";
import { delay } from "@sedna-js/core/async";
import type { ByteStore } from "../storage/byte-store.ts";
import { discardFile, readParts, writePart } from "./stored-file.ts";

/** Options of {@link downloadFile}. */
export interface DownloadOptions {
  readonly url: string;
  readonly file: ModelFile;
  readonly bytes: ByteStore;
  readonly fetch: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  /** Called with the number of stored bytes. */
  readonly onProgress?: (done: number) => void;
  readonly random?: () => number;
  /** Upper bound of the first retry delay, in ms. It doubles with each retry. Default 500. */
  readonly baseMs?: number;
  /** Time without data after which an attempt fails, in ms. Default 30000. */
  readonly stallMs?: number;
  /**
   * Minimum speed over a whole attempt, in bytes per second. A slower connection is treated as broken.
   * Default 4096.
   */
  readonly slowest?: number;
  /** Unix time in ms, to evaluate `Retry-After`. */
  readonly now?: () => number;
}

/** Size of the parts in which a file is stored. */
const PART_BYTES = 2 ** 20;
const RETRIES = 3;
/** Maximum delay of a timer, in ms. */
const MAX_MS = 2 ** 31 - 1;

/** What `store` takes. */
interface StoreOptions {
  readonly stored: Awaited<ReturnType<typeof readParts>>;
  readonly alive: () => void;
  readonly signal: AbortSignal;
}

/** What `fail` takes. */
interface FailOptions {
  readonly expected: string;
  readonly got: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * Downloads a file into the store in parts, and hashes it meanwhile. Parts stored by an earlier attempt are
 * hashed and not fetched again. A complete file is kept only if it has the promised length and hash.
 *
 * @throws {SednaError} `model-unreadable`, retryable if the transfer or the server failed; `storage-*`.
 */
export async function downloadFile({
  url,
  file,
  bytes,
  fetch,
  signal = new AbortController().signal,
  onProgress,
  random = Math.random,
  baseMs = 500,
  stallMs = 30_000,
  slowest = 4096,
  now = Date.now,
}: DownloadOptions): Promise<void> {
  /**
   * Strong entity tag of the file that the stored parts belong to. Prevents the server from sending a range
   * of another file.
   */
  let entityTag: string | undefined;

  for (let tried = 0; ; tried++) {
    try {
      return await fetchRest();
    } catch (error) {
      signal.throwIfAborted();
      const again =
        error instanceof SednaError &&
        error.code === "model-unreadable" &&
        error.retryable &&
        tried < RETRIES;
      if (!again) throw error;
      await delay(backoff({ tried, baseMs, random, retryAfterMs: error.retryAfterMs }), signal);
      signal.throwIfAborted();
    }
  }

  async function fetchRest(): Promise<void> {
    let stored = await readParts(bytes, file);
    if (stored.done === file.size) return accept(stored.hash.hex());

    const limit = new AbortController();
    const stop =
      (why: string): (() => void) =>
      () =>
        limit.abort(fail({ expected: "a file", got: why, retryable: true }));
    const tryMs = Math.min(MAX_MS, stallMs + (1000 * (file.size - stored.done)) / slowest);
    const whole = setTimeout(stop(`less than ${slowest} bytes per second`), tryMs);
    let stall = setTimeout(stop(`nothing for ${stallMs} ms`), stallMs);
    const alive = (): void => {
      clearTimeout(stall);
      stall = setTimeout(stop(`nothing for ${stallMs} ms`), stallMs);
    };
    try {
      const headers =
        stored.done > 0
          ? { range: `bytes=${stored.done}-`, ...(entityTag !== undefined && { "if-range": entityTag }) }
          : undefined;
      const both = AbortSignal.any([signal, limit.signal]);
      const response = await fetch(url, { signal: both, ...(headers && { headers }) });
      try {
        stored = await agree(response, stored);
        const tag = response.headers.get("etag");
        entityTag = tag?.startsWith('"') ? tag : undefined;
        await store(response, { stored, alive, signal: both });
      } finally {
        // Frees the connection if the body was not read.
        response.body?.cancel().catch(() => {});
      }
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof SednaError) throw cause;
      if (limit.signal.aborted) throw limit.signal.reason;
      throw fail({
        expected: "a file",
        got: messageOf(cause),
        retryable: true,
        cause,
      });
    } finally {
      clearTimeout(whole);
      clearTimeout(stall);
    }
  }

  /**
   * Returns the state from which the response continues: the stored parts, or an empty state if the server
   * ignores ranges.
   */
  async function agree(
    response: Response,
    stored: Awaited<ReturnType<typeof readParts>>,
  ): Promise<typeof stored> {
    const { status, headers } = response;
    // The page of a captive portal is unrelated to the stored parts: keep them.
    if (headers.get("content-type")?.startsWith("text/html"))
      throw fail({ expected: "a model file", got: "an HTML page", retryable: false });
    if (
      status === 206 &&
      stored.done > 0 &&
      headers.get("content-range")?.startsWith(`bytes ${stored.done}-`)
    )
      return stored;
    const isOther = status === 206 || status === 416;
    if (status !== 200 && !isOther) {
      const retryAfterMs = readRetryAfter(headers.get("retry-after"), now());
      throw fail({
        expected: "status 200",
        got: String(status),
        retryable: status >= 500 || status === 429 || status === 408,
        retryAfterMs,
      });
    }
    if (stored.done > 0) await discardFile(bytes, file);
    if (isOther)
      throw fail({
        expected: "the rest of the file",
        got: `status ${status} and another range`,
        retryable: true,
      });
    return readParts(bytes, file);
  }

  async function store(
    response: Response,
    { stored: { done, parts, hash }, alive, signal }: StoreOptions,
  ): Promise<void> {
    let part = new Uint8Array(Math.min(PART_BYTES, file.size - done));
    let filled = 0;
    const keep = async (): Promise<void> => {
      if (filled === 0) return;
      await writePart(bytes, file, { part: parts++, data: part.slice(0, filled) });
      onProgress?.(done);
      filled = 0;
      part = new Uint8Array(Math.min(PART_BYTES, file.size - done));
    };
    const pieces = readChunks(response, signal);
    try {
      for (;;) {
        // Keep the bytes received before the connection broke for the next attempt.
        const next = await pieces.next().catch((cause: unknown) => keep().then(() => Promise.reject(cause)));
        if (next.done) break;
        alive();
        let chunk: Uint8Array = next.value;
        if (done + chunk.length > file.size) {
          await discardFile(bytes, file);
          throw fail({ expected: `${file.size} bytes`, got: "more", retryable: false });
        }
        hash.update(chunk);
        while (chunk.length > 0) {
          const taken = chunk.subarray(0, part.length - filled);
          part.set(taken, filled);
          filled += taken.length;
          done += taken.length;
          chunk = chunk.subarray(taken.length);
          if (filled === part.length) await keep();
        }
      }
    } finally {
      await pieces.return(undefined);
    }
    await keep();
    if (done < file.size) throw fail({ expected: `${file.size} bytes`, got: String(done), retryable: true });
    await accept(hash.hex());
  }

  async function accept(hash: string): Promise<void> {
    if (hash === file.sha256) return;
    await discardFile(bytes, file);
    throw fail({ expected: `a file with the hash ${file.sha256}`, got: hash, retryable: true });
  }

  function fail({ expected, got, ...options }: FailOptions): SednaError {
    return new SednaError(`fetch ${url}: expected ${expected}; got ${got}`, {
      code: "model-unreadable",
      ...options,
    });
  }
}
