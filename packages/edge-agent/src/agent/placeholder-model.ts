import { SednaError } from "@sedna-js/core";
import type { ModelManifest } from "@sedna-js/core/wire";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";

const nothing: ModelManifest = {
  format: "sedna-model/1",
  name: "none",
  version: 0,
  files: [],
  variants: [],
  inputs: [],
  outputs: [],
  task: { name: "none" },
  license: "NOASSERTION",
};

/**
 * Returns a placeholder for the slot while there is no model. Every run rejects, so that the cloud handles
 * the sample.
 */
export function placeholderModel<Frame, Result>(): SupervisedModel<Frame, Result> {
  const unavailable = (): Promise<never> =>
    Promise.reject(
      new SednaError("run the model: expected a model on this device; there is none yet", {
        code: "edge-unavailable",
        retryable: true,
      }),
    );
  const dispose = async (): Promise<void> => {};
  return {
    manifest: nothing,
    backend: "cloud",
    failures: 0,
    load: unavailable,
    predict: unavailable,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
