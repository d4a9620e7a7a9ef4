import type { SampleStore } from "@sedna-js/cloud";

/**
 * Creates a store that keeps only the latest `kept` samples, because a demo runs for days and nothing reads
 * them.
 */
export function latestSamples({ kept = 200 }: { readonly kept?: number } = {}): SampleStore {
  const samples = new Map<string, Uint8Array>();
  return {
    async open() {},
    async put(id, bytes) {
      const known = samples.get(id);
      if (known)
        return known.length === bytes.length && known.every((byte, i) => byte === bytes[i])
          ? "duplicate"
          : "conflict";
      samples.set(id, Uint8Array.from(bytes));
      if (samples.size > kept) samples.delete(samples.keys().next().value!);
      return "stored";
    },
    async read(id) {
      return samples.get(id);
    },
    async list({ after, limit }) {
      const ids = [...samples.keys()].toSorted().filter((id) => after === undefined || id > after);
      return { ids: ids.slice(0, limit), ...(ids.length > limit && { next: ids[limit - 1]! }) };
    },
    async hasRoom() {
      return true;
    },
  };
}
