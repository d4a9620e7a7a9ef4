import { createRunQueue } from "@sedna-js/core";
import { sha256 } from "#platform/storage";
import type { ByteStore } from "../storage/byte-store.ts";
import { createBlockStore } from "./block-store.ts";
import { entryBytes } from "./feature-block.ts";
import { hashSample } from "./hash-sample.ts";

/** Options of {@link createFeatureCache}. */
export interface FeatureCacheOptions {
  /** Such as `openByteStore()` gives. One cache at a time uses it: of two, each forgets what the other adds. */
  readonly store: ByteStore | Promise<ByteStore>;
  /** What features depend on beside the sample: the feature model's hash, and the output it is cut at. */
  readonly model: string;
  /** Most bytes in the store. What was used longest ago goes first. */
  readonly maxBytes: number;
  /** Told when the store fails; features are then made anew. */
  readonly onError?: (error: unknown) => void;
}

/** Features by the content of their samples. It never fails: what cannot be read is made anew. */
export interface FeatureCache {
  /**
   * The key of a sample: SHA-256 over the model and the sample's content.
   * @throws {TypeError} on samples other than numbers, bytes, tensors and frames.
   */
  keyOf(sample: unknown): Promise<string>;
  get(key: string): Promise<Float32Array | undefined>;
  put(key: string, features: Float32Array): Promise<void>;
  /** Writes what is not written yet. Without it, a death forgets what was put last. */
  flush(): Promise<void>;
  /** `hits` and `misses` of this cache; `entries` and `bytes` of the store. */
  readonly statistics: {
    readonly hits: number;
    readonly misses: number;
    readonly entries: number;
    readonly bytes: number;
  };
}

/** A cache of features that outlives the process. Blocks of features are stored, used and dropped together. */
export function createFeatureCache({ store, model, maxBytes, onError }: FeatureCacheOptions): FeatureCache {
  if (!(maxBytes > 0))
    throw new RangeError(`make a feature cache: expected maxBytes above 0; got ${maxBytes}`);
  // Its failure is told when it is used.
  if (store instanceof Promise) store.catch(() => undefined);
  const blockBytes = Math.min(2 ** 20, Math.ceil(maxBytes / 8));
  const blocks = createBlockStore({ store, maxBytes, blockBytes });
  const turns = createRunQueue();
  const head = new TextEncoder().encode(`sedna-features/1 ${model.length} ${model}\n`);
  const pending = new Map<string, Float32Array>();
  let pendingBytes = 0;
  let hits = 0;
  let misses = 0;

  const guarded = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      onError?.(error);
      return undefined;
    }
  };
  const write = (): Promise<void> =>
    turns.run(async () => {
      const entries = Array.from(pending, ([key, features]) => ({ key, features }));
      pendingBytes = 0;
      if (entries.length > 0) await guarded(() => blocks.add(entries));
      // What could not be written is let go too: memory is not the place for it.
      for (const { key } of entries) pending.delete(key);
    });

  return {
    async keyOf(sample) {
      const hash = sha256();
      hash.update(head);
      await hashSample(hash, sample);
      return hash.hex();
    },
    async get(key) {
      const found = pending.get(key)?.slice() ?? (await guarded(() => blocks.get(key)));
      if (found) hits++;
      else misses++;
      return found;
    },
    async put(key, features) {
      const bytes = entryBytes(features.length);
      if (pending.has(key) || bytes > blockBytes || (await guarded(() => blocks.has(key))) === true) return;
      pending.set(key, features.slice());
      pendingBytes += bytes;
      if (pendingBytes >= blockBytes) await write();
    },
    async flush() {
      await write();
      await guarded(() => turns.run(() => blocks.keepOrder()));
    },
    get statistics() {
      return { hits, misses, entries: blocks.entries + pending.size, bytes: blocks.bytes };
    },
  };
}
