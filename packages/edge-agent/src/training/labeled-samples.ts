import type { LabeledSample, LabeledSamples } from "@sedna-js/core";

/**
 * Wraps an array of labeled samples for estimators. `version` identifies the content of the array. Use a
 * different version for different content, such as a test set; otherwise the features of the first array are
 * used for it.
 */
export function labeledSamples<Sample>(
  samples: readonly LabeledSample<Sample>[],
  { version }: { readonly version: string },
): LabeledSamples<Sample> {
  return {
    version,
    count: samples.length,
    async *[Symbol.asyncIterator]() {
      yield* samples;
    },
  };
}
