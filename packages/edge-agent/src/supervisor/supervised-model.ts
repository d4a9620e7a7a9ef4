import type { Estimator, PlainError } from "@sedna-js/core";
import type { ModelManifest } from "@sedna-js/core/wire";

/**
 * Where a model runs, from the best down. On `cloud` nothing runs here: `predict` rejects with
 * `edge-unavailable`.
 */
export type Backend = "webgpu" | "wasm" | "cpu" | "cloud";

/** Why a model had to be opened again. */
export type FailureReason =
  | "device-lost"
  | "worker-crashed"
  | "worker-hung"
  | "out-of-memory"
  | "run-rejected"
  | "open-failed"
  | "wrong-output";

/** What a supervisor tells. */
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
      /** From the failure to the first answer. */ readonly ms: number;
    };

/** A model in a Worker of its own that is opened again, elsewhere if need be, whatever happens to it. */
export interface SupervisedModel<Sample, Result> extends Estimator<Sample, Result> {
  readonly manifest: ModelManifest;
  readonly backend: Backend;
  /** How often it had to be opened again, here or on another rung. */
  readonly failures: number;
}
