import { SednaError } from "@sedna-js/core";
import { checkKey, checkValue, type ByteStore } from "./byte-store.ts";

/** Creates a byte store in memory. Its values are lost with the object. */
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
          `store ${key}: expected free space for ${bytes.length} bytes; got ${maxBytes - others}`,
          { code: "storage-full", retryable: true },
        );
      held.set(key, bytes.slice());
    },
    delete: async (key) => void held.delete(checkKey(key)),
    keys: async () => [...held.keys()],
  };
}
