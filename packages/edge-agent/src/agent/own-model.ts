import type { Estimator } from "@sedna-js/core";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { absentModel } from "./absent-model.ts";

/** An estimator of the app's own in the place of a supervised one. Version 0 says that there is nothing to say of it. */
export function ownModel<Frame, Result>(estimator: Estimator<Frame, Result>): SupervisedModel<Frame, Result> {
  const { manifest, rung, failures } = absentModel<Frame, Result>();
  return Object.assign(Object.create(estimator) as Estimator<Frame, Result>, { manifest, rung, failures });
}
