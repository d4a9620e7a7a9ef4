import type { ModelStore, VerifiedModel } from "../models/model-store.ts";

/** Options of {@link sednaModelStore}. */
export interface SednaModelStoreOptions {
  /** Path of `model_config.json`: Sedna's MODEL_HOT_UPDATE_CONFIG. */
  readonly configPath: string;
  /**
   * The model that runs now. A new file is taken for another training of it: same inputs, outputs, task,
   * labels.
   */
  readonly base: VerifiedModel;
  /** Nobody signs these files: say that whoever can write them is trusted. */
  readonly trustLocalFiles: boolean;
}

/**
 * The models that Sedna's local controller lays beside a worker, as a store that an updater takes them from.
 * Node only.
 * @throws {SednaError} `model-untrusted` without `trustLocalFiles`.
 */
export declare function sednaModelStore(options: SednaModelStoreOptions): ModelStore;
