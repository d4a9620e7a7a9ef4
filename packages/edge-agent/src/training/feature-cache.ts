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
  /**
   * Store for the features, such as the result of `openByteStore()`. Only one cache may use it at a time: two
   * caches would lose each other's entries.
   */
  readonly store: ByteStore | Promise<ByteStore>;
  /**
   * Identifies what features depend on besides the sample: the feature model's hash and the output at which
   * it is cut.
   */
  readonly model: string;
  /** Maximum number of bytes in the store. The least recently used features are evicted first. */
  readonly maxBytes: number;
  /** Called when the store fails. The features are then extracted again. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Caches features by the content of their samples. It never fails: features that cannot be read are extracted
 * again.
 */
export interface FeatureCache {
  /**
   * Returns the key of a sample: SHA-256 of the model and the sample's content.
   *
   * @throws {TypeError} If the sample is not numbers, bytes, tensors, or a frame.
   */
  keyOf(sample: unknown): Promise<string>;
  get(key: string): Promise<Float32Array | undefined>;
  put(key: string, features: Float32Array): Promise<void>;
  /** Writes pending entries. Without a flush, a process crash loses the last entries. */
  flush(): Promise<void>;
  /** `hits` and `misses` of this cache; `entries` and `bytes` of the store. */
  readonly statistics: {
    readonly hits: number;
    readonly misses: number;
    readonly entries: number;
    readonly bytes: number;
  };
}

/**
 * Creates a cache of features that persists across processes. Features are stored, used, and evicted in
 * blocks.
 */
export function createFeatureCache({ store, model, maxBytes, onError }: FeatureCacheOptions): FeatureCache {
  if (!(maxBytes > 0))
    throw new RangeError(`create a feature cache: expected maxBytes above 0; got ${maxBytes}`);
  // Prevent an unhandled rejection. The failure is reported when the store is used.
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
      // Drop the entries even if they could not be written, so that they do not accumulate in memory.
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
 * Feeds a sample's content to a hash so that different samples never feed the same bytes. Accepts numbers,
 * bytes, a tensor, named tensors, and frames, which are hashed by their pixels.
 *
 * @throws {TypeError} If the sample is of another type.
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
      `hash a sample: expected numbers, bytes, tensors or a frame; got ${describeValue(sample)}. Without a cache any sample is accepted`,
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
