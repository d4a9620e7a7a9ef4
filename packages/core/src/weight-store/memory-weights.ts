import { checkHash, checkWeightKey, tooManyBytes, type WeightStore } from "./weight-store.ts";

/**
 * Creates a weight store in memory, for tests and for a federation in one process. Its contents are lost when
 * the process ends.
 */
export function memoryWeights(): WeightStore {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    async put(key, bytes, { signal } = {}) {
      signal?.throwIfAborted();
      kept.set(checkWeightKey(key), Uint8Array.from(bytes));
    },
    async get(key, { maxBytes, sha256, signal }) {
      signal?.throwIfAborted();
      const bytes = kept.get(checkWeightKey(key));
      if (!bytes) return undefined;
      if (bytes.length > maxBytes) throw tooManyBytes(key, { maxBytes, got: bytes.length });
      await checkHash(bytes, { key, hashes: [sha256] });
      signal?.throwIfAborted();
      return Uint8Array.from(bytes);
    },
    async delete(key, { signal } = {}) {
      signal?.throwIfAborted();
      kept.delete(checkWeightKey(key));
    },
  };
}
