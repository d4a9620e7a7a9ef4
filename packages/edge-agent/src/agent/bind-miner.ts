import {
  hardExampleMining,
  select,
  type HardExampleMiner,
  type ModelManifest,
  type Selection,
} from "@sedna-js/core";

/**
 * A miner as it is; or one by name, with the parameters of the job, else with those that came with the model that
 * answers: they change with it, between two frames.
 * @throws {UnknownAlgorithmError}, {RangeError} on a name, or parameters of the job, that no miner has.
 */
export function bindMiner<Result>(
  miner: HardExampleMiner<Result> | Selection | undefined,
  manifest: () => ModelManifest,
): HardExampleMiner<Result> | undefined {
  if (miner === undefined || typeof miner === "function") return miner;
  const build = (thresholds: ModelManifest["thresholds"]): HardExampleMiner<Result> => {
    const selection =
      miner.param === undefined && thresholds !== undefined ? { ...miner, param: thresholds } : miner;
    return select(hardExampleMining, selection as never) as HardExampleMiner<Result>;
  };
  let bound: { readonly to: ModelManifest["thresholds"]; readonly judge: HardExampleMiner<Result> } = {
    to: undefined,
    judge: build(undefined),
  };
  return (result) => {
    const { thresholds } = manifest();
    if (thresholds !== bound.to) bound = { to: thresholds, judge: build(thresholds) };
    return bound.judge(result);
  };
}
