import type { HardExampleMiner } from "./miner.ts";
import { numberParameter, parameterized, programParameter } from "../check/parameters.ts";

const parameters = {
  /** Share of samples that are marked as hard. Sedna fails on a string; this miner accepts it. */
  random_ratio: numberParameter({ fallback: 0.3 }),
  /** Uniform draws in [0,1), for tests and repeatable runs. */
  random: programParameter<() => number>({
    fallback: "Math.random",
  }),
};

/** Marks a random share of all samples as hard: the baseline that every other miner must beat. */
export const Random = parameterized(
  parameters,
  ({ random_ratio, random = Math.random }): HardExampleMiner<unknown> =>
    () =>
      random() < random_ratio,
);
