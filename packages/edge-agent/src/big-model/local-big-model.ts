import type { BigModel, Estimator } from "@sedna-js/core";

/**
 * A big model that runs here, where there is no cloud: an estimator, best in a Worker of its own. Nothing
 * travels, so it carries 0 bytes.
 */
export function localBigModel<Sample, Result>(estimator: Estimator<Sample, Result>): BigModel<Sample, Result> {
  return {
    inference: async (sample, { signal }) => ({ result: await estimator.predict(sample, { signal }), bytesUp: 0, bytesDown: 0 }),
  };
}
