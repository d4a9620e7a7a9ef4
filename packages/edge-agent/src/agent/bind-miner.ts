import { hardExampleMining, select, type HardExampleMiner, type ModelManifest, type Selection } from "@sedna-js/core";

/** A miner as it is, or one by name with the parameters of the job, else with those that came with the model. */
export function bindMiner<Result>(miner: HardExampleMiner<Result> | Selection | undefined, { thresholds }: Pick<ModelManifest, "thresholds">): HardExampleMiner<Result> | undefined {
  if (miner === undefined || typeof miner === "function") return miner;
  const selection = miner.param === undefined && thresholds !== undefined ? { ...miner, param: thresholds } : miner;
  return select(hardExampleMining, selection as never) as HardExampleMiner<Result>;
}
