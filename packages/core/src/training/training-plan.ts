import type { HeadOptimizer } from "@sedna-js/wasm-kernels";

/** One tensor of the model that a federation trains; the flat parameters hold them one after the other, row-major. */
export interface LayerSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** How each client trains in a round. */
export interface TrainingPlan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: HeadOptimizer;
  /** FedProx's mu; 0 is plain FedAvg's local training. */
  readonly proximal?: number;
  readonly l2?: number;
}
