import { SednaError } from "@sedna-js/core";
import type { ModelFile } from "@sedna-js/core/wire";
import { sha256 } from "#platform/storage";
import type { ByteStore } from "../storage/byte-store.ts";

// A file lies in the store as parts that are written once, one after the other: what has come outlives the
// process, and no part is half a part. Its key is its content and length; a manifest that is wrong about one
// of them spoils no other's.

/** How far a file has come. */
export interface StoredPart {
  /** Bytes that are stored. */
  readonly done: number;
  /** Parts that are stored. */
  readonly parts: number;
  /** Of the bytes that are stored; more may be added. */
  readonly hash: ReturnType<typeof sha256>;
}

/**
 * Reads the parts that are stored in their order, hashes them, and copies them where that is asked. A part
 * that does not fit ends the row.
 */
export async function readParts(bytes: ByteStore, file: ModelFile, target?: Uint8Array): Promise<StoredPart> {
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

/** Whether all of a file is stored as it was promised; holds no more than a part of it. */
export async function isWhole(bytes: ByteStore, file: ModelFile): Promise<boolean> {
  const { done, hash } = await readParts(bytes, file);
  return done === file.size && hash.hex() === file.sha256;
}

/** A file's bytes; undefined where they are not what was promised. */
export async function readFile(
  bytes: ByteStore,
  file: ModelFile,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // What is not there needs no room.
  if ((await readPart(bytes, partKey(file, 0))) === undefined) return undefined;
  const whole = new Uint8Array(file.size);
  const { done, hash } = await readParts(bytes, file, whole);
  return done === file.size && hash.hex() === file.sha256 ? whole : undefined;
}

/**
 * Takes a file's parts out of the store, the last first: a death halfway leaves the beginning of the file.
 */
export async function discardFile(bytes: ByteStore, file: ModelFile): Promise<void> {
  const prefix = prefixOf(file);
  const parts = (await bytes.keys())
    .filter((key) => key.startsWith(prefix))
    .map((key) => Number(key.slice(prefix.length)));
  for (const part of parts.toSorted((a, b) => b - a)) await bytes.delete(partKey(file, part));
}

/** Takes out the parts of all files but these. What else lies in the store is left. */
export async function sweepFiles(bytes: ByteStore, needed: readonly ModelFile[]): Promise<void> {
  const prefixes = new Set(needed.map(prefixOf));
  for (const key of await bytes.keys()) {
    const prefix = /^blob-[a-f0-9]{64}-\d+-(?=\d+$)/.exec(key)?.[0];
    if (prefix !== undefined && !prefixes.has(prefix)) await bytes.delete(key);
  }
}

/**
 * What lies on a bad block is as good as gone: another version may run, and what is fetched again is written
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
