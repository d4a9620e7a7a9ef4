import { toHex } from "@sedna-js/core/wire";
import { sha256 } from "#platform/storage";

// A block holds the features of many samples, so that a store has a few large values instead of one per
// sample:
//
//   block = "SFB1" 0:4 entry*
//
//   entry = key:32 check:8 count:4 0:4 float32[count] padding to 8
//
// The check is the first 8 bytes of SHA-256 of key and floats. Numbers are little-endian. A block is damaged
// if an entry does not fit; an entry is damaged if its check is wrong.

/** Features to store, with a key of 64 hex digits. */
export interface BlockEntry {
  readonly key: string;
  readonly features: Float32Array;
}

/** Position of an entry in its block. */
export interface EntryPosition {
  readonly key: string;
  readonly offset: number;
}

const MAGIC = Uint8Array.of(0x53, 0x46, 0x42, 0x31, 0, 0, 0, 0);
const HEAD = 48;

/** Returns the size in bytes of an entry with this many numbers. */
export function entryBytes(count: number): number {
  return HEAD + 8 * Math.ceil((4 * count) / 8);
}

/** Writes a block of entries, appended to the valid block `former`. */
export function writeBlock(
  entries: readonly BlockEntry[],
  former: Uint8Array = MAGIC,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(
    entries.reduce((sum, { features }) => sum + entryBytes(features.length), former.length),
  );
  block.set(former);
  let at = former.length;
  for (const { key, features } of entries) {
    const raw = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
    const id = fromHex(key);
    block.set(id, at);
    block.set(checkOf(id, raw), at + 32);
    new DataView(block.buffer).setUint32(at + 40, features.length, true);
    block.set(raw, at + HEAD);
    at += entryBytes(features.length);
  }
  return block;
}

/**
 * Returns the entries of a block without checking them, or `undefined` if it is not a block or is damaged so
 * that its entries cannot be separated.
 */
export function blockEntries(block: Uint8Array): readonly EntryPosition[] | undefined {
  if (block.length < MAGIC.length || !same(block.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const places: EntryPosition[] = [];
  let at = MAGIC.length;
  while (at < block.length) {
    if (at + HEAD > block.length) return undefined;
    places.push({ key: toHex(block.subarray(at, at + 32)), offset: at });
    at += entryBytes(view.getUint32(at + 40, true));
  }
  return at === block.length ? places : undefined;
}

/**
 * Returns a copy of an entry's features, or `undefined` if they are not those that were written under its
 * key.
 */
export function readEntry(block: Uint8Array, { key, offset }: EntryPosition): Float32Array | undefined {
  if (offset + HEAD > block.length) return undefined;
  const count = new DataView(block.buffer, block.byteOffset, block.length).getUint32(offset + 40, true);
  if (offset + entryBytes(count) > block.length) return undefined;
  const id = block.subarray(offset, offset + 32);
  const raw = block.slice(offset + HEAD, offset + HEAD + 4 * count);
  const isWhole = toHex(id) === key && same(block.subarray(offset + 32, offset + 40), checkOf(id, raw));
  return isWhole ? new Float32Array(raw.buffer) : undefined;
}

function checkOf(id: Uint8Array, raw: Uint8Array): Uint8Array {
  const hash = sha256();
  hash.update(id);
  hash.update(raw);
  return fromHex(hash.hex().slice(0, 16));
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
