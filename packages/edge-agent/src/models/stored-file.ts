import { SednaError } from "@sedna-js/core";
import type { ModelFile } from "@sedna-js/core/wire";
import { sha256 } from "#platform/storage";
import type { ByteStore } from "../storage/byte-store.ts";

// A file is stored as parts, which are written once and in order. Received parts survive a restart, and no
// part is incomplete. The key consists of hash and length, so that a manifest with a wrong value cannot
// damage another file.

/** Progress of a stored file. */
export interface StoredProgress {
  /** Number of stored bytes. */
  readonly done: number;
  /** Number of stored parts. */
  readonly parts: number;
  /** Hash of the stored bytes, to which more can be added. */
  readonly hash: ReturnType<typeof sha256>;
}

/**
 * Reads the stored parts in order, hashes them, and copies them to `target` if given. Stops at the first part
 * that does not fit.
 */
export async function readParts(
  bytes: ByteStore,
  file: ModelFile,
  target?: Uint8Array,
): Promise<StoredProgress> {
  const hash = sha256();
  let done = 0;
  let parts = 0;
  for (; done < file.size; parts++) {
    const part = await readPart(bytes, partKey(file, parts));
    if (part === undefined || part.length === 0 || done + part.length > file.size) break;
    hash.update(part);
    target?.set(part, done);
    done += part.length;
  }
  return { done, parts, hash };
}

/** Stores the next part. */
export function writePart(
  bytes: ByteStore,
  file: ModelFile,
  { part, data }: { readonly part: number; readonly data: Uint8Array<ArrayBuffer> },
): Promise<void> {
  return bytes.set(partKey(file, part), data);
}

/** Returns whether a file is stored completely and matches its hash. Holds at most one part in memory. */
export async function isWhole(bytes: ByteStore, file: ModelFile): Promise<boolean> {
  const { done, hash } = await readParts(bytes, file);
  return done === file.size && hash.hex() === file.sha256;
}

/** Returns the bytes of a file, or `undefined` if they do not match the manifest. */
export async function readFile(
  bytes: ByteStore,
  file: ModelFile,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // Do not allocate memory for a file that is not stored.
  if ((await readPart(bytes, partKey(file, 0))) === undefined) return undefined;
  const whole = new Uint8Array(file.size);
  const { done, hash } = await readParts(bytes, file, whole);
  return done === file.size && hash.hex() === file.sha256 ? whole : undefined;
}

/** Deletes the parts of a file, last part first: a crash halfway leaves a valid beginning of the file. */
export async function discardFile(bytes: ByteStore, file: ModelFile): Promise<void> {
  const prefix = prefixOf(file);
  const parts = (await bytes.keys())
    .filter((key) => key.startsWith(prefix))
    .map((key) => Number(key.slice(prefix.length)));
  for (const part of parts.toSorted((a, b) => b - a)) await bytes.delete(partKey(file, part));
}

/** Deletes the parts of all files except `needed`. Keeps all other keys. */
export async function sweepFiles(bytes: ByteStore, needed: readonly ModelFile[]): Promise<void> {
  const prefixes = new Set(needed.map(prefixOf));
  for (const key of await bytes.keys()) {
    const prefix = /^blob-[a-f0-9]{64}-\d+-(?=\d+$)/.exec(key)?.[0];
    if (prefix !== undefined && !prefixes.has(prefix)) await bytes.delete(key);
  }
}

/**
 * Treats a part on a bad block as missing: another version can run, and the part is fetched again and written
 * elsewhere.
 */
function readPart(bytes: ByteStore, key: string): Promise<Uint8Array | undefined> {
  return bytes.get(key).catch((error: unknown) => {
    if (error instanceof SednaError && error.code === "storage-failed") return undefined;
    throw error;
  });
}

function prefixOf({ sha256: hash, size }: ModelFile): string {
  return `blob-${hash}-${size}-`;
}

function partKey(file: ModelFile, part: number): string {
  return `${prefixOf(file)}${part}`;
}
