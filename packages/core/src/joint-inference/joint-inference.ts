import { checkDeadline } from "../async/deadline.ts";
import { createLifetime } from "../async/lifetime.ts";
import { describeValue } from "../errors.ts";
import { type Case, edgeStep, fallback } from "./decide.ts";
import { runSource } from "./run-source.ts";
import { createStatistics, type Statistics } from "./statistics.ts";
import type {
  JointInference,
  JointInferenceOptions,
  JointResult,
  JointSettings,
  RunOptions,
  SampleSource,
} from "./types.ts";

/**
 * Joins a little model at the edge and a big model in the cloud. By default the little model processes every
 * sample, a miner decides which samples are hard, and only hard samples go to the cloud. Source:
 * `JointInference` in Sedna's `core/joint_inference`. Deviations are in docs/sedna-map.md.
 *
 * @throws {TypeError} If an option is missing or of the wrong type.
 * @throws {RangeError} If the options cannot work together.
 *
 * @example
 * ```ts
 * import { createJointInference, hardExampleMining, select, type Estimator } from "@sedna-js/core";
 *
 * const dispose = async () => {};
 * const metadata = { kind: "tensors", inputs: [], outputs: [], backend: "none" } as const;
 * const little: Estimator<number, number[]> = {
 *   load: async () => metadata,
 *   predict: async (sample) => [sample, 1 - sample],
 *   dispose,
 *   [Symbol.asyncDispose]: dispose,
 * };
 * const joint = createJointInference({
 *   estimator: little,
 *   hardExampleMining: select(hardExampleMining, {
 *     method: "CrossEntropy",
 *     param: { threshold_cross_entropy: 0.5 },
 *   }),
 *   bigModel: { inference: async () => [1, 0] },
 * });
 * console.log((await joint.inference(0.99)).source, (await joint.inference(0.5)).source); // => edge cloud
 * ```
 */
export function createJointInference<Sample, Result>({
  now = () => performance.now(),
  ...initial
}: JointInferenceOptions<Sample, Result>): JointInference<Sample, Result> {
  const statistics = createStatistics<Result, Sample>();
  const lifetime = createLifetime("run joint inference");
  let runs = 0;
  let settings = checkSettings<Sample, Result>(initial as JointSettings<Sample, Result>);
  let samples = 0;

  const open = (sample: Sample, signal?: AbortSignal): Case<Sample, Result> => ({
    index: samples++,
    sample,
    settings,
    signal,
    now,
    statistics,
  });

  async function* run(
    source: SampleSource<Sample>,
    { signal: given, ...options }: RunOptions,
  ): AsyncGenerator<JointResult<Result, Sample>, undefined> {
    const signal = lifetime.during(given);
    runs++;
    try {
      yield* runSource(source, { ...options, signal, open, statistics });
    } finally {
      runs--;
    }
  }
  const dispose = async (): Promise<void> => lifetime.end();

  return {
    async inference(sample, { signal, policy } = {}) {
      lifetime.signal.throwIfAborted();
      signal?.throwIfAborted();
      const it = open(sample, signal);
      return answerOne(
        policy === undefined
          ? it
          : { ...it, settings: checkSettings<Sample, Result>({ ...settings, policy }) },
        statistics,
      );
    },
    run(source, options = {}) {
      if (typeof source?.[Symbol.asyncIterator] !== "function")
        throw new TypeError(
          `run joint inference: expected an async iterable source; got ${describeValue(source)}`,
        );
      return run(source, options);
    },
    update(patch) {
      settings = checkSettings({ ...settings, ...patch } as JointSettings<Sample, Result>);
    },
    status: () => ({
      state: lifetime.signal.aborted ? "disposed" : runs > 0 ? "running" : "idle",
      ...statistics.snapshot(),
    }),
    on: statistics.on,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Answers one sample, outside of a run. */
async function answerOne<Sample, Result>(
  it: Case<Sample, Result>,
  statistics: Statistics<Result, Sample>,
): Promise<JointResult<Result, Sample>> {
  try {
    const { answer, askCloud } = await edgeStep(it);
    if (askCloud && it.settings.policy === "edge-first" && answer.result !== null) {
      statistics.answered(answer);
      const followUp = askCloud()
        .catch((error: unknown) => fallback(answer, "failed", error))
        .then((final) => {
          if (!it.signal?.aborted) statistics.followed(final);
          return final;
        });
      return { ...answer, final: false, followUp };
    }
    const final = askCloud ? await askCloud() : answer;
    statistics.answered(final);
    return final;
  } catch (error) {
    if (!it.signal?.aborted) statistics.failed();
    throw error;
  }
}

const policies = ["joint", "edge-first", "cloud-first", "edge-only", "cloud-only"];
const modes = ["inference-then-mining", "mining-then-inference"];

/**
 * Checks that settings work together, and returns them.
 * @throws {TypeError} If a part is missing or of the wrong type.
 * @throws {RangeError} If a value is not allowed.
 */
function checkSettings<Sample, Result>(
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
    throw new RangeError(
      `set the policy: expected one of ${policies.join(", ")}; got ${describeValue(policy)}`,
    );
  if (!modes.includes(mode))
    throw new RangeError(`set the mode: expected one of ${modes.join(", ")}; got ${describeValue(mode)}`);
  if (typeof estimator?.predict !== "function")
    throw new TypeError(
      `set the estimator: expected an object with predict(); got ${describeValue(estimator)}`,
    );
  if (hardExampleMining !== undefined && typeof hardExampleMining !== "function") {
    throw new TypeError(
      `set hardExampleMining: expected a miner, as select() returns it; got ${describeValue(hardExampleMining)}`,
    );
  }
  if (mode === "mining-then-inference" && hardExampleMining === undefined)
    throw new TypeError("set the mode mining-then-inference: expected hardExampleMining; got none");
  if (bigModel !== undefined && typeof bigModel.inference !== "function")
    throw new TypeError(
      `set the bigModel: expected an object with inference(); got ${describeValue(bigModel)}`,
    );
  checkDeadline(deadlineMs);
  if (!(maxOffloads >= 1))
    throw new RangeError(`set maxOffloads: expected at least 1; got ${describeValue(maxOffloads)}`);
  return settings;
}
