import type { ModelStore, VerifiedModel } from "../models/model-store.ts";

/** Options of {@link sednaModelStore}. */
export interface SednaModelStoreOptions {
  /** Path of `model_config.json`: Sedna's MODEL_HOT_UPDATE_CONFIG. */
  readonly configPath: string;
  /**
   * The running model. A new file must be another training of this model: same inputs, outputs, task, and
   * labels.
   */
  readonly base: VerifiedModel;
  /** Must be `true`, to state that everyone who can write these unsigned files is trusted. */
  readonly trustLocalFiles: boolean;
}

/**
 * Creates a model store for an updater from the model files that Sedna's local controller writes beside a
 * worker. Node only.
 *
 * @throws {SednaError} `model-untrusted` if `trustLocalFiles` is not `true`.
 */
export declare function sednaModelStore(options: SednaModelStoreOptions): ModelStore;
