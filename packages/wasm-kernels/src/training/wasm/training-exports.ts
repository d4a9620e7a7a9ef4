import type { KernelMemory, ModuleExports } from "../../module/kernel-memory.ts";

/**
 * Exports of the module `training`, written by hand: see `rust/src/abi/head.rs`. Every address is a byte
 * offset in `memory`.
 */
export interface TrainingExports extends ModuleExports {
  head_epoch(fields: number): void;
  head_predict(fields: number, samples: number, groups: number, probabilities: number): void;
}

/** Memory of an instance of `training`. */
export type TrainingMemory = KernelMemory<TrainingExports>;
