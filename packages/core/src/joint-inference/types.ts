import type { ErrorCode } from "../errors.ts";
import type { Estimator } from "../estimator/estimator.ts";
import type { HardExampleMiner } from "../hard-example-mining/miner.ts";
import type { Paradigm } from "../paradigm.ts";

/** Order of inference and mining, as in Sedna's MINING_MODE. */
export type MiningMode = "inference-then-mining" | "mining-then-inference";

/**
 * Which side processes a sample.
 * - `joint`: the edge processes easy samples; a hard sample waits for the cloud, up to the deadline.
 * - `edge-first`: the edge's result is returned at once; for a hard sample the cloud's result follows.
 * - `cloud-first`: the cloud processes all samples that it can within the deadline, the edge the others.
 * - `edge-only`, `cloud-only`: the other side is never called.
 */
export type JointPolicy = "joint" | "edge-first" | "cloud-first" | "edge-only" | "cloud-only";

/** Why the result is from this side. An {@link ErrorCode} says why the cloud's result is missing. */
export type JointReason = "easy" | "hard" | "policy" | "offload-busy" | "miner-failed" | "failed" | ErrorCode;

/** The big model, wherever it runs. */
export interface BigModel<Sample, Result> {
  /**
   * Returns the result for one sample. Must stop when `signal` aborts.
   * @throws {SednaError} `cloud-*`, `circuit-open` or `wire-format` If there is no result.
   */
  inference(sample: Sample, options: BigModelCall<Result>): Promise<Result>;
}

/** Options of a call to the big model. */
export interface BigModelCall<Result = unknown> {
  readonly signal: AbortSignal;
  /** Time within which the result is useful, in ms. */
  readonly deadlineMs: number;
  /** Called with the bytes of each attempt, successful or not. */
  readonly onTransfer?: (bytes: { readonly up: number; readonly down: number }) => void;
  /**
   * The little model's result for the same sample, if any. Code that hides parts of an image relies on it.
   */
  readonly edgeResult?: Result | null;
}

/** Duration of each step, in ms; 0 if the step did not run. */
export interface JointTimings {
  readonly edge: number;
  readonly mining: number;
  readonly cloud: number;
  readonly total: number;
}

/** The result for one sample. */
export interface JointResult<Result, Sample = unknown> {
  /** Index of the sample in this joint inference, from 0. */
  readonly index: number;
  readonly isHardExample: boolean;
  /** Best result so far; null only if `error` is set. */
  readonly result: Result | null;
  readonly edgeResult: Result | null;
  readonly cloudResult: Result | null;
  /** `fallback`: the cloud was wanted but returned no result, so this is the edge's result. */
  readonly source: "edge" | "cloud" | "fallback";
  readonly reason: JointReason;
  /** False while a better result for the same sample may follow (`edge-first`). */
  readonly final: boolean;
  readonly timings: JointTimings;
  readonly bytes: { readonly up: number; readonly down: number };
  /** Why the cloud, or both sides, returned no result. */
  readonly error?: unknown;
  /** The cloud's result, in `inference` with `edge-first`. It never rejects. */
  readonly followUp?: Promise<JointResult<Result, Sample>>;
  readonly sample: Sample;
}

/** Sedna's counters, with each sample counted once, and this project's. */
export interface JointStatistics {
  /** Number of samples with a result. */
  readonly inferenceNumber: number;
  /** Number of those samples that the miner marked as hard. */
  readonly hardExampleNumber: number;
  /** hardExampleNumber / inferenceNumber; 0 before the first sample. */
  readonly uploadCloudRatio: number;
  /**
   * Number of samples for which the cloud was actually called: fewer than the hard ones if the cloud is cut
   * off or busy.
   */
  readonly offloadedNumber: number;
  /** Number of samples that the cloud processed in time. */
  readonly cloudNumber: number;
  /** Number of samples for which the cloud was wanted but the edge's result was used. */
  readonly fallbackNumber: number;
  /** Number of samples that neither side could process. */
  readonly failedNumber: number;
  /**
   * Number of live samples that were dropped: replaced by a newer one before their turn, or left over by a
   * busy cloud under `cloud-only`.
   */
  readonly droppedNumber: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Source of samples. A `live` source does not wait for the consumer, which gets the latest sample. */
export interface SampleSource<Sample> extends AsyncIterable<Sample> {
  readonly live?: boolean;
}

// NoInfer: the estimator determines the types of samples and results; miners and big models must match them.

/** Order of inference and mining, and a miner that fits the order. */
export type MiningSettings<Sample, Result> =
  /** Default: the edge runs first, and the miner judges its result. Without a miner, no sample is hard. */
  | {
      readonly mode?: "inference-then-mining";
      readonly hardExampleMining?: HardExampleMiner<NoInfer<Result>>;
    }
  /** The miner judges the sample itself; the edge answers what is easy. */
  | { readonly mode: "mining-then-inference"; readonly hardExampleMining: HardExampleMiner<NoInfer<Sample>> };

/** All settings of joint inference. */
export type JointSettings<Sample, Result> = AnswerSettings<Sample, Result> & MiningSettings<Sample, Result>;

/** Settings that do not depend on the order of inference and mining. */
export interface AnswerSettings<Sample, Result> {
  /** The little model. */
  readonly estimator: Estimator<Sample, Result>;
  readonly bigModel?: BigModel<NoInfer<Sample>, NoInfer<Result>>;
  /** Joint inference policy. Default `joint`. */
  readonly policy?: JointPolicy;
  /** Maximum time that a sample waits for the cloud, in ms. Default 1000. */
  readonly deadlineMs?: number;
  /**
   * Maximum number of concurrent uploads in `run`. Further hard samples of a live source get the edge's
   * result; with `cloud-only` they are dropped. Default 2.
   */
  readonly maxOffloads?: number;
}

/** Options of {@link createJointInference}. */
export type JointInferenceOptions<Sample, Result> = JointSettings<Sample, Result> & {
  /** Monotonic clock, in ms. Default `performance.now`. */
  readonly now?: () => number;
};

/** Settings that `update` may change while samples are processed. */
export type JointPatch<Sample, Result> = Partial<AnswerSettings<Sample, Result>> & {
  readonly mode?: MiningMode;
  readonly hardExampleMining?: HardExampleMiner<Result> | HardExampleMiner<Sample>;
};

/** Options of `run`. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /**
   * `latest`: a newer sample replaces a waiting one. `all`: every sample is processed. Default: `latest` if
   * `source.live` is true, else `all`.
   */
  readonly take?: "latest" | "all";
}

/** An event of joint inference. */
export type JointEvent<Result, Sample> =
  /** A sample has a result, or a better one than before. */
  | { readonly type: "result"; readonly result: JointResult<Result, Sample> }
  /** A live sample was dropped without a result. */
  | { readonly type: "dropped" };

/** State and counts of joint inference. */
export interface JointStatus extends JointStatistics {
  readonly state: "idle" | "running" | "disposed";
}

/** A little model at the edge and a big model in the cloud that work together. */
export interface JointInference<Sample, Result> extends Paradigm<
  [source: SampleSource<Sample>],
  JointResult<Result, Sample>,
  JointStatus,
  JointEvent<Result, Sample>
> {
  /** Returns the result for one sample, which the caller still owns. Rejects only if no side has a result. */
  inference(
    sample: Sample,
    options?: { readonly signal?: AbortSignal; readonly policy?: JointPolicy },
  ): Promise<JointResult<Result, Sample>>;
  /**
   * Processes the samples of a source and closes each one (`close()`, if it has one) after its last result
   * was consumed. Results are in order of completion: a slow cloud does not delay the frames behind it, so
   * `index` may decrease. A failed sample is a result with `error` and does not end the iteration.
   */
  run(source: SampleSource<Sample>, options?: RunOptions): AsyncIterableIterator<JointResult<Result, Sample>>;
  /** Changes settings, starting with the next sample. */
  update(patch: JointPatch<Sample, Result>): void;
  /**
   * Ends the active runs. The owner of the estimator and of the big model disposes them. A reader that is
   * waiting for a result gets the error `disposed`.
   */
  dispose(): Promise<void>;
}
