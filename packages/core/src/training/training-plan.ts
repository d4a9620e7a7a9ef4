import type { HeadOptimizer } from "@sedna-js/wasm-kernels";

/** A tensor of the federation's model. The flat parameters are the concatenated tensors, row-major. */
export interface LayerSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Local training of each client in a round. */
export interface TrainingPlan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: HeadOptimizer;
  /** FedProx's mu; 0 is plain FedAvg local training. */
  readonly proximal?: number;
  readonly l2?: number;
}
