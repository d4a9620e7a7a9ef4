import type { BigModel, Estimator } from "@sedna-js/core";

/** A big model that runs here, where there is no cloud: an estimator, best in a Worker of its own. Nothing travels. */
export function localBigModel<Sample, Result>(
  estimator: Estimator<Sample, Result>,
): BigModel<Sample, Result> {
  return { inference: (sample, { signal }) => estimator.predict(sample, { signal }) };
}
