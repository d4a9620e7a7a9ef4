import { SednaError, type ErrorCode } from "../errors.ts";
import type { HardExampleMiner } from "../hard-example-mining/miner.ts";
import { offload } from "./offload.ts";
import type { Statistics } from "./statistics.ts";
import type { JointReason, JointResult, JointSettings } from "./types.ts";

/** One sample on its way through the steps. */
export interface Case<Sample, Result> {
  readonly index: number;
  readonly sample: Sample;
  readonly settings: JointSettings<Sample, Result>;
  readonly signal: AbortSignal | undefined;
  readonly now: () => number;
  readonly statistics: Statistics;
}

type Answer<Sample, Result> = JointResult<Result, Sample>;

/** The edge's part of an answer, and what the cloud would add if it is asked. */
export interface EdgeStep<Sample, Result> {
  readonly answer: Answer<Sample, Result>;
  /** Set where the cloud is wanted. Never rejects while there is an edge answer to fall back on. */
  readonly askCloud?: () => Promise<Answer<Sample, Result>>;
}

/** Runs what the policy wants of the edge and says whether the cloud is wanted too. */
export async function edgeStep<Sample, Result>(it: Case<Sample, Result>): Promise<EdgeStep<Sample, Result>> {
  const { settings, sample } = it;
  const started = it.now();
  const { policy = "joint", mode = "inference-then-mining" } = settings;

  if (policy === "cloud-only") return { answer: pending(it, "policy"), askCloud: () => cloudStep(it, pending(it, "policy")) };

  const mined = policy === "joint" || policy === "edge-first";
  if (mined && mode === "mining-then-inference") {
    const { isHard, ms } = mine(it, sample);
    if (isHard) {
      const before = { ...pending(it, "hard"), timings: { edge: 0, mining: ms, cloud: 0, total: 0 } };
      return { answer: before, askCloud: () => cloudStep(it, before) };
    }
    const { edgeResult, edge } = await predict(it);
    return { answer: edgeAnswer(it, { edgeResult, started, edge, mining: ms, isHardExample: false, reason: "easy" }) };
  }

  const { edgeResult, edge } = await predict(it);
  if (!mined) {
    const answer = edgeAnswer(it, { edgeResult, started, edge, mining: 0, isHardExample: policy === "cloud-first", reason: "policy" });
    return policy === "cloud-first" ? { answer, askCloud: () => cloudStep(it, answer) } : { answer };
  }
  const { isHard, ms: mining } = mine(it, edgeResult);
  const answer = edgeAnswer(it, { edgeResult, started, edge, mining, isHardExample: isHard, reason: isHard ? "hard" : "easy" });
  return isHard ? { answer, askCloud: () => cloudStep(it, answer) } : { answer };
}

/** The edge's answer to a sample that was hard, where the cloud is not asked after all. */
export function fallback<Sample, Result>(answer: Answer<Sample, Result>, reason: JointReason, error?: unknown): Answer<Sample, Result> {
  return { ...answer, source: "fallback", reason, ...(error === undefined ? {} : { error }) };
}

/** What is said of a sample that nobody could answer. */
export function failure<Sample, Result>(it: Case<Sample, Result>, error: unknown): Answer<Sample, Result> {
  return fallback(pending(it, "failed"), reasonOf(error), error);
}

async function cloudStep<Sample, Result>(it: Case<Sample, Result>, before: Answer<Sample, Result>): Promise<Answer<Sample, Result>> {
  const { bigModel, deadlineMs = 1000 } = it.settings;
  if (bigModel === undefined) return withoutCloud(it, before, "no-big-model");
  const asked = it.now();
  const timings = (): Answer<Sample, Result>["timings"] => ({ ...before.timings, cloud: it.now() - asked, total: before.timings.total + it.now() - asked });
  it.statistics.offloaded();
  try {
    const { result, bytesUp, bytesDown } = await offload(bigModel, it.sample, { deadlineMs, signal: it.signal });
    return { ...before, result, cloudResult: result, source: "cloud", timings: timings(), bytes: { up: bytesUp, down: bytesDown } };
  } catch (error) {
    if (it.signal?.aborted) throw error;
    return withoutCloud(it, { ...before, timings: timings() }, reasonOf(error), error);
  }
}

/** Falls back on the edge: its answer where there is one, else (mining came first) it is made now. */
async function withoutCloud<Sample, Result>(it: Case<Sample, Result>, before: Answer<Sample, Result>, reason: JointReason, error?: unknown): Promise<Answer<Sample, Result>> {
  if (before.edgeResult !== null) return fallback(before, reason, error);
  if (it.settings.policy === "cloud-only") {
    throw error ?? new SednaError("ask the cloud: expected a bigModel for the policy cloud-only; got none", { code: "cloud-unreachable" });
  }
  const { edgeResult, edge } = await predict(it);
  const timings = { ...before.timings, edge, total: before.timings.total + edge };
  return fallback({ ...before, result: edgeResult, edgeResult, timings }, reason, error);
}

async function predict<Sample, Result>({ settings, sample, signal, now }: Case<Sample, Result>): Promise<{ edgeResult: Result; edge: number }> {
  const started = now();
  const edgeResult = await settings.estimator.predict(sample, { signal });
  return { edgeResult, edge: now() - started };
}

function mine<Sample, Result>({ settings, now }: Case<Sample, Result>, judged: unknown): { isHard: boolean; ms: number } {
  const started = now();
  const miner = settings.hardExampleMining as HardExampleMiner<unknown> | undefined;
  const isHard = miner?.(judged) ?? false;
  return { isHard, ms: now() - started };
}

function edgeAnswer<Sample, Result>(
  { index, sample, now }: Case<Sample, Result>,
  { edgeResult, started, edge, mining, isHardExample, reason }: { edgeResult: Result; started: number; edge: number; mining: number; isHardExample: boolean; reason: JointReason },
): Answer<Sample, Result> {
  const timings = { edge, mining, cloud: 0, total: now() - started };
  return { index, isHardExample, result: edgeResult, edgeResult, cloudResult: null, source: "edge", reason, final: true, timings, bytes: { up: 0, down: 0 }, sample };
}

function pending<Sample, Result>({ index, sample }: Case<Sample, Result>, reason: JointReason): Answer<Sample, Result> {
  const timings = { edge: 0, mining: 0, cloud: 0, total: 0 };
  return { index, isHardExample: true, result: null, edgeResult: null, cloudResult: null, source: "edge", reason, final: true, timings, bytes: { up: 0, down: 0 }, sample };
}

function reasonOf(error: unknown): ErrorCode | "failed" {
  return error instanceof SednaError ? error.code : "failed";
}
