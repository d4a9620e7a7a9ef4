import { SednaError } from "@sedna-js/core";
import type { ByteStore } from "./byte-store.ts";

/** Options of {@link fallbackBytes}. */
interface FallbackBytesOptions {
  readonly first: ByteStore;
  readonly memory: ByteStore;
  readonly onDegraded?: (event: { readonly key: string; readonly error: unknown }) => void;
}

/**
 * Creates a byte store that falls back to memory if the first store cannot write a value. A page with an
 * exhausted quota still runs its model, and fetches it again next time.
 */
export function fallbackBytes({ first, memory, onDegraded }: FallbackBytesOptions): ByteStore {
  return {
    get: async (key) => (await memory.get(key)) ?? (await first.get(key)),
    async set(key, bytes) {
      try {
        await first.set(key, bytes);
        await memory.delete(key);
      } catch (error) {
        if (!(error instanceof SednaError)) throw error;
        onDegraded?.({ key, error });
        await memory.set(key, bytes);
      }
    },
    async delete(key) {
      await memory.delete(key);
      await first.delete(key);
    },
    keys: async () => [...new Set([...(await first.keys()), ...(await memory.keys())])],
  };
}
