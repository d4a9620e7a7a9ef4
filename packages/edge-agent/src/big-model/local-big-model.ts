import type { BigModel, Estimator } from "@sedna-js/core";

/**
 * Creates a big model that runs on this device, for use without a cloud. The estimator should run in its own
 * Worker. No data leaves the device.
 */
export function localBigModel<Sample, Result>(
  estimator: Estimator<Sample, Result>,
): BigModel<Sample, Result> {
  return { inference: (sample, { signal }) => estimator.predict(sample, { signal }) };
}
