/** Miners. */

export { type DifficultyParameters, expectedF1Loss, type ExpectedF1Parameters } from "./expected-f1.ts";
export { hardExampleMining } from "./hard-example-mining.ts";
export type { HardExampleMiner, InferResult } from "./miner.ts";
