import type { FeatureCache } from "./feature-cache.ts";
import type { FeatureExtractor } from "./feature-extractor.ts";

/** Extracts the features of samples. `flush` is called after the last sample of a set. */
export type SetExtractor<Sample> = Pick<FeatureExtractor<Sample>, "extract"> & { flush?(): Promise<void> };

/**
 * Wraps an extractor with a cache that is read first. Cached features with another width than `width` belong
 * to another model and are extracted again.
 */
export function cachedExtractor<Sample>(
  extractor: Pick<FeatureExtractor<Sample>, "extract">,
  { cache, width }: { readonly cache: FeatureCache; readonly width: number },
): SetExtractor<Sample> {
  return {
    async extract(samples, options) {
      const keys: string[] = [];
      const rows: (Float32Array | undefined)[] = [];
      for (const sample of samples) {
        const key = await cache.keyOf(sample);
        const known = await cache.get(key);
        keys.push(key);
        rows.push(known?.length === width ? known : undefined);
        options.signal.throwIfAborted();
      }
      const missing = samples.flatMap((_, i) => (rows[i] ? [] : [i]));
      if (missing.length > 0) {
        const made = await extractor.extract(
          missing.map((i) => samples[i]!),
          options,
        );
        for (const [j, i] of missing.entries()) {
          rows[i] = made[j]!;
          await cache.put(keys[i]!, made[j]!);
        }
      }
      return rows as Float32Array[];
    },
    flush: () => cache.flush(),
  };
}
