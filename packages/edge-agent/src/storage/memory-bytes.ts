import { SednaError } from "@sedna-js/core";
import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";

/** A byte store in memory, which lasts as long as the value. */
export function memoryBytes({ maxBytes = Infinity }: { readonly maxBytes?: number } = {}): ByteStore {
  const held = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    get: async (key) => held.get(checkKey(key))?.slice(),
    async set(key, bytes) {
      checkKey(key);
      checkValue(bytes);
      const others = [...held].reduce((sum, [name, one]) => sum + (name === key ? 0 : one.length), 0);
      if (others + bytes.length > maxBytes)
        throw new SednaError(
          `store ${key}: expected room for ${bytes.length} bytes; got ${maxBytes - others}`,
          { code: "storage-full", retryable: true },
        );
      held.set(key, bytes.slice());
    },
    delete: async (key) => void held.delete(checkKey(key)),
    keys: async () => [...held.keys()],
  };
}
