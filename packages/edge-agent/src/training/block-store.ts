import { randomHex } from "@sedna-js/core/wire";
import type { ByteStore } from "../storage/byte-store.ts";
import { blockEntries, readEntry, writeBlock, type BlockEntry, type EntryPosition } from "./feature-block.ts";

/**
 * A store of feature blocks that evicts the least recently used blocks when it is full. Calls of `add` and
 * `keepOrder` must not overlap.
 */
export interface BlockStore {
  has(key: string): Promise<boolean>;
  /** Returns the features of a key, or `undefined` if they are missing or damaged. */
  get(key: string): Promise<Float32Array | undefined>;
  /**
   * Stores entries. They are appended to the most recently used block that has space for them, or start a new
   * block.
   */
  add(entries: readonly BlockEntry[]): Promise<void>;
  /** Stores the order in which the blocks were used, for the next process. */
  keepOrder(): Promise<void>;
  readonly entries: number;
  readonly bytes: number;
}

/** Options of {@link createBlockStore}. */
export interface BlockStoreOptions {
  readonly store: ByteStore | Promise<ByteStore>;
  readonly maxBytes: number;
  /** Approximate maximum size of a block, in bytes. */
  readonly blockBytes: number;
}

interface Block {
  size: number;
  /** Counter value of the last use. A larger number is later. */
  used: number;
  keys: readonly string[];
}

const NAME = /^features-[0-9a-f]{16}$/;
const ORDER = "features-order";
/**
 * Samples are read in the order in which they were stored, so the next features are almost always in the last
 * block read.
 */
const BLOCKS_IN_MEMORY = 2;

/** Creates a block store. The store is opened and its blocks are read on first use. */
export function createBlockStore({ store: given, maxBytes, blockBytes }: BlockStoreOptions): BlockStore {
  const blocks = new Map<string, Block>();
  const places = new Map<string, EntryPosition & { readonly block: string }>();
  const read = new Map<string, Uint8Array>();
  let clock = 0;
  let keptOrder = "";
  let opening: Promise<ByteStore> | undefined;

  const forget = (name: string): void => {
    for (const key of blocks.get(name)?.keys ?? []) if (places.get(key)?.block === name) places.delete(key);
    blocks.delete(name);
    read.delete(name);
  };
  const adopt = (name: string, bytes: Uint8Array, used: number): void => {
    const entries = blockEntries(bytes);
    if (!entries) return;
    for (const entry of entries) places.set(entry.key, { ...entry, block: name });
    blocks.set(name, { size: bytes.length, used, keys: entries.map(({ key }) => key) });
  };
  const order = (): string[] => [...blocks].toSorted(([, a], [, b]) => a.used - b.used).map(([name]) => name);
  const total = (): number => [...blocks.values()].reduce((sum, { size }) => sum + size, 0);
  const shrink = async (store: ByteStore, kept?: string): Promise<void> => {
    for (const name of order()) {
      if (total() <= maxBytes) return;
      if (name === kept) continue;
      forget(name);
      await store.delete(name);
    }
  };
  const open = async (): Promise<ByteStore> => {
    const store = await given;
    const known = new TextDecoder().decode((await store.get(ORDER)) ?? new Uint8Array()).split("\n");
    for (const name of (await store.keys()).filter((key) => NAME.test(key))) {
      const bytes = await store.get(name);
      if (bytes) adopt(name, bytes, known.indexOf(name) + 1);
      // A damaged block is useless, but it would occupy space forever.
      if (bytes && !blocks.has(name)) await store.delete(name);
    }
    clock = blocks.size + known.length;
    keptOrder = order().join("\n");
    await shrink(store);
    return store;
  };
  const opened = (): Promise<ByteStore> =>
    (opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));
  const blockOf = async (store: ByteStore, name: string): Promise<Uint8Array | undefined> => {
    const bytes = read.get(name) ?? (await store.get(name));
    read.delete(name);
    if (!bytes) return undefined;
    read.set(name, bytes);
    for (const old of [...read.keys()].slice(0, -BLOCKS_IN_MEMORY)) read.delete(old);
    return bytes;
  };
  /** Returns the most recently used block that has space for `size` more bytes. */
  const roomFor = (size: number): string | undefined =>
    order().findLast((name) => blocks.get(name)!.size + size <= blockBytes);

  return {
    async has(key) {
      await opened();
      return places.has(key);
    },
    async get(key) {
      const store = await opened();
      const place = places.get(key);
      if (!place) return undefined;
      const bytes = await blockOf(store, place.block);
      const features = bytes && readEntry(bytes, place);
      const block = blocks.get(place.block);
      if (block) block.used = ++clock;
      if (!features && block && places.get(key) === place) {
        // Delete the whole block: extracting its features again is cheaper than separating damaged entries
        // from the ones that replace them.
        forget(place.block);
        await store.delete(place.block);
      }
      return features;
    },
    async add(entries) {
      const store = await opened();
      const added = writeBlock(entries);
      const tail = roomFor(added.length);
      const former = tail === undefined ? undefined : await blockOf(store, tail);
      const isWhole = former && blockEntries(former) !== undefined;
      const name = isWhole ? tail! : `features-${randomHex(8)}`;
      const bytes = isWhole ? writeBlock(entries, former) : added;
      await store.set(name, bytes);
      read.delete(name);
      adopt(name, bytes, ++clock);
      await shrink(store, name);
    },
    async keepOrder() {
      const now = order().join("\n");
      if (now === keptOrder || now === "") return;
      await (await opened()).set(ORDER, new TextEncoder().encode(now));
      keptOrder = now;
    },
    get entries() {
      return places.size;
    },
    get bytes() {
      return total();
    },
  };
}
