import type { ErrorCode } from "../errors.ts";
import type { Estimator } from "../estimator/estimator.ts";
import type { HardExampleMiner } from "../hard-example-mining/miner.ts";

/** Sedna's order of the two steps (its MINING_MODE). */
export type MiningMode = "inference-then-mining" | "mining-then-inference";

/**
 * Who answers.
 * - `joint`: the edge answers what is easy; what is hard waits for the cloud, up to the deadline.
 * - `edge-first`: the edge answers at once; for what is hard the cloud's answer follows.
 * - `cloud-first`: the cloud answers all it can within the deadline, the edge the rest.
 * - `edge-only`, `cloud-only`: the other side is never asked.
 */
export type JointPolicy = "joint" | "edge-first" | "cloud-first" | "edge-only" | "cloud-only";

/** Why this side answered. An {@link ErrorCode} says why the cloud's answer is missing. */
export type JointReason = "easy" | "hard" | "policy" | "offload-busy" | "miner-failed" | "failed" | ErrorCode;

/** The big model, wherever it runs. */
export interface BigModel<Sample, Result> {
  /**
   * Answers one sample. Must not outlive `signal`.
   * @throws {SednaError} `cloud-*`, `circuit-open` or `wire-format` when there is no answer.
   */
  inference(sample: Sample, options: BigModelCall<Result>): Promise<Result>;
}

/** Options of a question to the big model. */
export interface BigModelCall<Result = unknown> {
  readonly signal: AbortSignal;
  /** How long the answer is of use, in ms. */
  readonly deadlineMs: number;
  /** Told of the bytes that each try carried, whether or not it brought an answer. */
  readonly onTransfer?: (bytes: { readonly up: number; readonly down: number }) => void;
  /**
   * The little model's answer to the same sample, where it has one: what hides parts of a picture goes by it.
   */
  readonly edgeResult?: Result | null;
}

/** Milliseconds by step; a step that did not run is 0. */
export interface JointTimings {
  readonly edge: number;
  readonly mining: number;
  readonly cloud: number;
  readonly total: number;
}

/** The answer to one sample. */
export interface JointResult<Result, Sample = unknown> {
  /** Counts the samples of this joint inference from 0. */
  readonly index: number;
  readonly isHardExample: boolean;
  /** The best answer there is now; null only when `error` is set. */
  readonly result: Result | null;
  readonly edgeResult: Result | null;
  readonly cloudResult: Result | null;
  /** `fallback`: the cloud was wanted and did not answer, so this is the edge's answer. */
  readonly source: "edge" | "cloud" | "fallback";
  readonly reason: JointReason;
  /** False while a better answer to the same sample may follow (`edge-first`). */
  readonly final: boolean;
  readonly timings: JointTimings;
  readonly bytes: { readonly up: number; readonly down: number };
  /** Why the cloud did not answer, or why nobody did. */
  readonly error?: unknown;
  /** In `inference` with `edge-first`: the cloud's answer, which never rejects. */
  readonly followUp?: Promise<JointResult<Result, Sample>>;
  readonly sample: Sample;
}

/** Sedna's counters, each sample counted once, and ours. */
export interface JointStatistics {
  /** Samples answered. */
  readonly inferenceNumber: number;
  /** Of these, samples that the miner called hard. */
  readonly hardExampleNumber: number;
  /** hardExampleNumber / inferenceNumber; 0 before the first sample. */
  readonly uploadCloudRatio: number;
  /** Samples that the cloud was really asked about; less than hard ones when it is cut off or busy. */
  readonly offloadedNumber: number;
  /** Samples that the cloud answered in time. */
  readonly cloudNumber: number;
  /** Samples for which the cloud was wanted and the edge's answer had to do. */
  readonly fallbackNumber: number;
  /** Samples that nobody could answer. */
  readonly failedNumber: number;
  /** Live frames that a newer one replaced before their turn came. */
  readonly droppedNumber: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Where samples come from. `live` sources do not wait: there the newest sample wins. */
export interface SampleSource<Sample> extends AsyncIterable<Sample> {
  readonly live?: boolean;
}

// NoInfer: the estimator says what samples and results are; miners and big models have to fit it.

/** The order of the steps, and a miner that fits it. */
export type MiningSettings<Sample, Result> =
  /** The edge answers, the miner judges its result. No miner: nothing is hard. The default. */
  | {
      readonly mode?: "inference-then-mining";
      readonly hardExampleMining?: HardExampleMiner<NoInfer<Result>>;
    }
  /** The miner judges the sample itself; the edge answers what is easy. */
  | { readonly mode: "mining-then-inference"; readonly hardExampleMining: HardExampleMiner<NoInfer<Sample>> };

/** Who answers, and how. */
export type JointSettings<Sample, Result> = AnswerSettings<Sample, Result> & MiningSettings<Sample, Result>;

/** The settings that do not hang on the order of the steps. */
export interface AnswerSettings<Sample, Result> {
  /** The little model. */
  readonly estimator: Estimator<Sample, Result>;
  readonly bigModel?: BigModel<NoInfer<Sample>, NoInfer<Result>>;
  /** Joint inference policy. Default `joint`. */
  readonly policy?: JointPolicy;
  /** How long a sample may wait for the cloud, in ms. Default 1000. */
  readonly deadlineMs?: number;
  /**
   * In `run`: uploads under way at once. Further hard samples of a live source get the edge's answer; with
   * `cloud-only` they are dropped. Default 2.
   */
  readonly maxOffloads?: number;
}

/** Options of {@link createJointInference}. */
export type JointInferenceOptions<Sample, Result> = JointSettings<Sample, Result> & {
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
};

/** What `update` may change while samples flow. */
export type JointPatch<Sample, Result> = Partial<AnswerSettings<Sample, Result>> & {
  readonly mode?: MiningMode;
  readonly hardExampleMining?: HardExampleMiner<Result> | HardExampleMiner<Sample>;
};

/** Options of `run`. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /**
   * `newest`: a waiting sample is replaced by a newer one. `all`: every sample is answered. Default: by
   * `source.live`.
   */
  readonly take?: "latest" | "all";
}

/** A little model at the edge and a big one in the cloud, working as one. */
export interface JointInference<Sample, Result> {
  /** Answers one sample; the caller keeps it. Rejects only where no side has an answer. */
  inference(
    sample: Sample,
    options?: { readonly signal?: AbortSignal; readonly policy?: JointPolicy },
  ): Promise<JointResult<Result, Sample>>;
  /**
   * Answers the samples of a source and closes each (`close()`, where it has one) when its last answer has
   * been taken. Results come as they are ready: a slow cloud never holds back the frames behind it, so
   * `index` may step back. A sample that fails is a result with `error`, not the end.
   */
  run(source: SampleSource<Sample>, options?: RunOptions): AsyncIterableIterator<JointResult<Result, Sample>>;
  /** Changes settings from the next sample on. */
  update(patch: JointPatch<Sample, Result>): void;
  stats(): JointStatistics;
}
