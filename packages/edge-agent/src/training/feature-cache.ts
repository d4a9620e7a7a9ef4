import { sha256, type Sha256 } from "#platform/storage";
import type { Tensor } from "@sedna-js/core";
import { createSerialQueue } from "@sedna-js/core/async";
import { describeValue } from "@sedna-js/core/errors";
import { isFrame } from "@sedna-js/core/vision";
import type { ByteStore } from "../storage/byte-store.ts";
import { createBlockStore } from "./block-store.ts";
import { entryBytes } from "./feature-block.ts";

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
  const turns = createSerialQueue();
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

const text = new TextEncoder();

/**
 * Feeds a sample's content to a hash, so that no two different samples feed the same: numbers, bytes, tensors by name or one,
 * frames by their pixels.
 * @throws {TypeError} on anything else.
 */
async function hashSample(hash: Pick<Sha256, "update">, sample: unknown): Promise<void> {
  if (isFrame(sample)) {
    const pixels = new Uint8ClampedArray(4 * sample.width * sample.height);
    await sample.copyTo(pixels);
    return hashArray(hash, { kind: `frame ${sample.width}x${sample.height}`, array: pixels });
  }
  if (ArrayBuffer.isView(sample)) return hashArray(hash, { kind: sample.constructor.name, array: sample });
  if (isTensor(sample))
    return hashArray(hash, { kind: `${sample.dtype} ${sample.shape.join("x")}`, array: sample.data });
  const named = typeof sample === "object" && sample !== null ? Object.entries(sample) : [];
  if (named.length === 0 || !named.every(([, one]) => isTensor(one)))
    throw new TypeError(
      `hash a sample: expected numbers, bytes, tensors or a frame; got ${describeValue(sample)}. Without a cache any sample goes`,
    );
  for (const [name, one] of named.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hashArray(hash, { kind: `${JSON.stringify(name)} ${one.dtype} ${one.shape.join("x")}`, array: one.data });
}

function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === "object" &&
    value !== null &&
    "dtype" in value &&
    "shape" in value &&
    "data" in value &&
    ArrayBuffer.isView(value.data)
  );
}

function hashArray(
  hash: Pick<Sha256, "update">,
  { kind, array }: { readonly kind: string; readonly array: ArrayBufferView },
): void {
  hash.update(text.encode(`${kind} ${array.byteLength}\n`));
  hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}
