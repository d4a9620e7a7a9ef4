import type { Estimator } from "@sedna-js/core";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { absentModel } from "./absent-model.ts";

/** An estimator of the app's own in the place of a supervised one. Version 0 says that there is nothing to say of it. */
export function ownModel<Frame, Result>(estimator: Estimator<Frame, Result>): SupervisedModel<Frame, Result> {
  const { manifest, rung, failures } = absentModel<Frame, Result>();
  // Asked as its own methods: one of a class with private fields answers to no other `this`.
  return {
    manifest,
    rung,
    failures,
    load: (options) => estimator.load(options),
    predict: (sample, options) => estimator.predict(sample, options),
    get predictBatch() {
      return estimator.predictBatch?.bind(estimator);
    },
    get run() {
      return estimator.run?.bind(estimator);
    },
    dispose: () => estimator.dispose(),
    [Symbol.asyncDispose]: () => estimator.dispose(),
  };
}
