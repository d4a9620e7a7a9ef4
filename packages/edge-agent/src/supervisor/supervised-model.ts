import type { Estimator, PlainError } from "@sedna-js/core";
import type { ModelManifest } from "@sedna-js/core/wire";

/**
 * Backends of a model, best first. On `cloud` nothing runs here: `predict` rejects with `edge-unavailable`.
 */
export type Backend = "webgpu" | "wasm" | "cpu" | "cloud";

/** Why a model had to be reopened. */
export type FailureReason =
  | "device-lost"
  | "worker-crashed"
  | "worker-hung"
  | "out-of-memory"
  | "run-rejected"
  | "open-failed"
  | "wrong-output";

/** Events of a supervised model. */
export type SupervisorEvent =
  | {
      readonly type: "model-opened";
      readonly model: string;
      readonly version: number;
      readonly backend: Backend;
      readonly ms: number;
    }
  | {
      readonly type: "model-failed";
      readonly model: string;
      readonly version: number;
      readonly reason: FailureReason;
      readonly from: Backend;
      readonly to: Backend;
      readonly error: PlainError;
    }
  | {
      readonly type: "model-recovered";
      readonly model: string;
      readonly version: number;
      readonly backend: Backend;
      /** Time from the failure to the first result, in ms. */ readonly ms: number;
    };

/** A model in its own Worker that is reopened after each failure, on another backend if necessary. */
export interface SupervisedModel<Sample, Result> extends Estimator<Sample, Result> {
  readonly manifest: ModelManifest;
  readonly backend: Backend;
  /** Number of failures after which the model had to be reopened, on any backend. */
  readonly failures: number;
}
