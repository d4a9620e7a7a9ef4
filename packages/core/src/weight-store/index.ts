/** The port of an object store for weights. */

export { memoryWeights } from "./memory-weights.ts";
export { sha256Hex, type WeightStore, type WeightsWanted } from "./weight-store.ts";
