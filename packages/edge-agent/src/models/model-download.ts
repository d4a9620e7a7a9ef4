import { SednaError, type ModelFile } from "@sedna-js/core";
import { sha256 } from "#platform";
import { nextWait } from "../http/backoff.ts";
import { pause } from "../pause.ts";
import type { ByteStore } from "./byte-store.ts";

/** Options of {@link downloadFile}. */
export interface DownloadOptions {
  readonly url: string;
  readonly file: ModelFile;
  readonly bytes: ByteStore;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
  /** Bytes of the file that are stored. */
  readonly onProgress?: (done: number) => void;
  readonly random?: () => number;
  /** The first wait between tries is at most this long, in ms; it doubles. Default 500. */
  readonly baseMs?: number;
  /** How long a server may send nothing, in ms. Default 30000. */
  readonly stallMs?: number;
}

/** A file is stored in parts of this size, so that what has come outlives the process. */
const PART_BYTES = 2 ** 20;
const RETRIES = 3;

/**
 * Fetches a file into the store, in parts, hashing what comes. What an earlier try has stored is hashed and not fetched
 * again. Only what has the promised length and hash stays.
 *
 * @throws {SednaError} `model-unreadable`, retryable where the network was at fault; `storage-*`.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const { file, bytes, signal, random = Math.random, baseMs = 500 } = options;
  for (let tried = 0; ; tried++) {
    try {
      return await fetchRest(options);
    } catch (error) {
      signal.throwIfAborted();
      const again = error instanceof SednaError && error.code === "model-unreadable" && error.retryable && tried < RETRIES;
      if (!again) throw error;
      await pause(nextWait({ tried, baseMs, random, retryAfterMs: error.retryAfterMs }), signal);
      signal.throwIfAborted();
    }
  }

  async function fetchRest({ url, fetch, onProgress, stallMs = 30_000 }: DownloadOptions): Promise<void> {
    const stored = await readParts(bytes, file);
    if (stored.done === file.size) {
      if (stored.hash.hex() === file.sha256) return;
      await discardFile(bytes, file);
      throw unreadable(url, { expected: `a file with the hash ${file.sha256}`, got: "another", retryable: true });
    }
    const stall = new AbortController();
    let timer = setTimeout(() => stall.abort(), stallMs);
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), stallMs);
    };
    try {
      let { done, hash, parts } = stored;
      const limit = AbortSignal.any([signal, stall.signal]);
      const response = await fetch(url, { signal: limit, ...(done > 0 ? { headers: { range: `bytes=${done}-` } } : {}) });
      const resumes = response.status === 206 && new RegExp(`^bytes ${done}-`).test(response.headers.get("content-range") ?? "");
      if (!resumes && done > 0) {
        // A server that knows no ranges sends all of it again; one that sends another part, or nothing, is asked afresh.
        await discardFile(bytes, file);
        ({ done, hash, parts } = { done: 0, hash: sha256(), parts: 0 });
        if (response.status !== 200) throw unreadable(url, { expected: "the rest of the file", got: `status ${response.status}`, retryable: true });
      }
      if (response.status !== 200 && !resumes) throw unreadable(url, { expected: "status 200", got: String(response.status), retryable: response.status >= 500 || response.status === 429 });
      if (response.headers.get("content-type")?.startsWith("text/html")) throw unreadable(url, { expected: "a model's file", got: "a page of HTML", retryable: false });

      let part = new Uint8Array(Math.min(PART_BYTES, file.size - done));
      let filled = 0;
      const keep = async (): Promise<void> => {
        await bytes.set(partKey(file, parts++), part.slice(0, filled));
        onProgress?.(done);
        filled = 0;
        part = new Uint8Array(Math.min(PART_BYTES, file.size - done));
      };
      const reader = response.body?.getReader();
      try {
        for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
          alive();
          let chunk = next.value!;
          if (done + chunk.length > file.size) {
            await discardFile(bytes, file);
            throw unreadable(url, { expected: `${file.size} bytes`, got: "more", retryable: false });
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
      } catch (cause) {
        // What came before the line broke is kept for the next try.
        if (filled > 0 && !(cause instanceof SednaError)) await keep();
        throw cause;
      } finally {
        await reader?.cancel().catch(() => {});
      }
      if (filled > 0) await keep();
      if (done < file.size) throw unreadable(url, { expected: `${file.size} bytes`, got: String(done), retryable: true });
      if (hash.hex() !== file.sha256) {
        await discardFile(bytes, file);
        throw unreadable(url, { expected: `a file with the hash ${file.sha256}`, got: "another", retryable: true });
      }
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof SednaError) throw cause;
      const why = stall.signal.aborted ? `nothing for ${stallMs} ms` : cause instanceof Error ? cause.message : String(cause);
      throw unreadable(url, { expected: "a file", got: why, retryable: true, cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether all of a file is stored as it was promised, and its bytes. */
export async function readFile(bytes: ByteStore, file: ModelFile): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const whole = new Uint8Array(file.size);
  const { done, hash } = await readParts(bytes, file, whole);
  return done === file.size && hash.hex() === file.sha256 ? whole : undefined;
}

/** Takes a file's parts out of the store. */
export async function discardFile(bytes: ByteStore, { sha256 }: Pick<ModelFile, "sha256">): Promise<void> {
  for (const key of await bytes.keys()) if (key.startsWith(`blob-${sha256}-`)) await bytes.delete(key);
}

function partKey({ sha256 }: ModelFile, part: number): string {
  return `blob-${sha256}-${part}`;
}

/** Hashes the parts that are stored, in their order, and copies them where that is asked. A part that does not fit ends the row. */
async function readParts(bytes: ByteStore, file: ModelFile, target?: Uint8Array): Promise<{ done: number; parts: number; hash: ReturnType<typeof sha256> }> {
  const hash = sha256();
  let done = 0;
  let parts = 0;
  for (; done < file.size; parts++) {
    const part = await bytes.get(partKey(file, parts));
    if (part === undefined || part.length === 0 || done + part.length > file.size) break;
    hash.update(part);
    target?.set(part, done);
    done += part.length;
  }
  return { done, parts, hash };
}

function unreadable(url: string, { expected, got, retryable, cause }: { readonly expected: string; readonly got: string; readonly retryable: boolean; readonly cause?: unknown }): SednaError {
  return new SednaError(`fetch ${url}: expected ${expected}; got ${got}`, { code: "model-unreadable", retryable, cause });
}
