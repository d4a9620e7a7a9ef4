import type { LabeledSample, LabeledSamples } from "@sedna-js/core";

/**
 * Samples that are at hand, as estimators take them. `version` names what is in the list: give another list, a test
 * set too, another one, or what was made of the first is taken for it.
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
