import { checkDeadline } from "../async/deadline.ts";
import { describe } from "../errors.ts";
import type { JointSettings } from "./types.ts";

const policies = ["joint", "edge-first", "cloud-first", "edge-only", "cloud-only"];
const modes = ["inference-then-mining", "mining-then-inference"];

/**
 * Settings that can work together.
 * @throws {TypeError} on a part that is missing or of another kind, {RangeError} on a value out of its set.
 */
export function checkSettings<Sample, Result>(
  settings: JointSettings<Sample, Result>,
): JointSettings<Sample, Result> {
  const {
    estimator,
    bigModel,
    hardExampleMining,
    policy = "joint",
    mode = "inference-then-mining",
    deadlineMs = 1000,
    maxOffloads = 2,
  } = settings;
  if (!policies.includes(policy))
    throw new RangeError(`set the policy: expected one of ${policies.join(", ")}; got ${describe(policy)}`);
  if (!modes.includes(mode))
    throw new RangeError(`set the mode: expected one of ${modes.join(", ")}; got ${describe(mode)}`);
  if (typeof estimator?.predict !== "function")
    throw new TypeError(`set the estimator: expected an object with predict(); got ${describe(estimator)}`);
  if (hardExampleMining !== undefined && typeof hardExampleMining !== "function") {
    throw new TypeError(
      `set hardExampleMining: expected a miner, as select() builds it; got ${describe(hardExampleMining)}`,
    );
  }
  if (mode === "mining-then-inference" && hardExampleMining === undefined)
    throw new TypeError("set the mode mining-then-inference: expected hardExampleMining; got none");
  if (bigModel !== undefined && typeof bigModel.inference !== "function")
    throw new TypeError(`set the bigModel: expected an object with inference(); got ${describe(bigModel)}`);
  checkDeadline(deadlineMs);
  if (!(maxOffloads >= 1))
    throw new RangeError(`set maxOffloads: expected at least 1; got ${describe(maxOffloads)}`);
  return settings;
}
