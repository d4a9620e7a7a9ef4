import { withDeadline } from "../async/deadline.ts";
import { SednaError, type ErrorCode } from "../errors.ts";
import type { HardExampleMiner } from "../hard-example-mining/miner.ts";
import type { Statistics } from "./statistics.ts";
import type { JointReason, JointResult, JointSettings } from "./types.ts";

/** A sample and its context during inference. */
export interface Case<Sample, Result> {
  readonly index: number;
  readonly sample: Sample;
  readonly settings: JointSettings<Sample, Result>;
  readonly signal: AbortSignal | undefined;
  readonly now: () => number;
  readonly statistics: Pick<Statistics<Result, Sample>, "offloaded">;
}

type Answer<Sample, Result> = JointResult<Result, Sample>;

/** Result of the edge step for a sample, and the possible next steps. */
export interface EdgeStep<Sample, Result> {
  /** The edge's result; `result` is null if the edge model has not run. */
  readonly answer: Answer<Sample, Result>;
  /** Set if the policy wants the cloud. Falls back to the edge; rejects only if neither side has a result. */
  readonly askCloud?: () => Promise<Answer<Sample, Result>>;
  /** Uses the edge's result instead of the cloud's. Not set with `cloud-only` or if the edge model failed. */
  readonly askEdge?: (reason: JointReason) => Promise<Answer<Sample, Result>>;
}

/** Runs the edge model and the miner as the policy requires, and decides whether the cloud is wanted. */
export async function edgeStep<Sample, Result>(it: Case<Sample, Result>): Promise<EdgeStep<Sample, Result>> {
  const { policy = "joint", mode, bigModel } = it.settings;
  if (policy === "cloud-only")
    return { answer: open(it, "policy"), askCloud: () => askCloud(it, open(it, "policy")) };
  if (policy === "cloud-first")
    return {
      answer: open(it, "policy"),
      askCloud: () => askBoth(it),
      askEdge: (reason) => askEdge(it, open(it, "policy"), reason),
    };
  if (policy === "edge-only") return { answer: await predict(it, open(it, "policy", false)) };

  if (mode === "mining-then-inference") {
    const { isHard, ms, failed } = mine(it, it.sample);
    const before = {
      ...open(it, isHard ? "hard" : "easy", isHard),
      timings: { edge: 0, mining: ms, cloud: 0, total: ms },
    };
    if (isHard)
      return {
        answer: before,
        askCloud: () => askCloud(it, before),
        askEdge: (reason) => askEdge(it, before, reason),
      };
    return { answer: { ...(await predict(it, before)), ...failed } };
  }

  let edge: Answer<Sample, Result>;
  try {
    edge = await predict(it, open(it, "easy", false));
  } catch (error) {
    // A failing model makes a hard case, which the cloud may solve. An invalid sample does not.
    if (!(error instanceof SednaError) || bigModel === undefined || it.signal?.aborted) throw error;
    return {
      answer: open(it, error.code),
      askCloud: () => askCloud(it, open(it, error.code)).catch(() => Promise.reject(error)),
    };
  }
  const { isHard, ms, failed } = mine(it, edge.edgeResult);
  const answer: Answer<Sample, Result> = {
    ...edge,
    isHardExample: isHard,
    reason: isHard ? "hard" : "easy",
    timings: { ...edge.timings, mining: ms, total: edge.timings.total + ms },
    ...failed,
  };
  return isHard
    ? { answer, askCloud: () => askCloud(it, answer), askEdge: async (reason) => fallback(answer, reason) }
    : { answer };
}

/** Returns the edge's result in place of the cloud's. */
export function fallback<Sample, Result>(
  answer: Answer<Sample, Result>,
  reason: JointReason,
  error?: unknown,
): Answer<Sample, Result> {
  return { ...answer, source: "fallback", reason, ...(error === undefined ? {} : { error }) };
}

/** Returns the result for a sample that neither side could process. */
export function failure<Sample, Result>(it: Case<Sample, Result>, error: unknown): Answer<Sample, Result> {
  const source = it.settings.policy === "cloud-only" ? "cloud" : "edge";
  return { ...open(it, reasonOf(error), false), source, error };
}

/** Calls the cloud, and falls back to the edge's result if the call fails. */
async function askCloud<Sample, Result>(
  it: Case<Sample, Result>,
  before: Answer<Sample, Result>,
): Promise<Answer<Sample, Result>> {
  const { bigModel, deadlineMs = 1000 } = it.settings;
  if (bigModel === undefined)
    return withoutCloud(
      it,
      before,
      new SednaError("call the cloud: expected a bigModel; got none", { code: "no-big-model" }),
    );
  const asked = it.now();
  const bytes = { up: 0, down: 0 };
  const onTransfer = ({ up, down }: { readonly up: number; readonly down: number }): void => {
    bytes.up += up;
    bytes.down += down;
  };
  const cost = (): Pick<Answer<Sample, Result>, "timings" | "bytes"> => {
    const ms = it.now() - asked;
    return {
      timings: { ...before.timings, cloud: ms, total: before.timings.total + ms },
      bytes: { ...bytes },
    };
  };
  try {
    const ask = (signal: AbortSignal): Promise<Result> =>
      bigModel.inference(it.sample, { signal, deadlineMs, onTransfer, edgeResult: before.edgeResult });
    const result = await withDeadline(ask, {
      deadlineMs,
      action: "call the big model",
      ...(it.signal ? { signal: it.signal } : {}),
    });
    it.statistics.offloaded();
    return { ...before, result, cloudResult: result, source: "cloud", ...cost() };
  } catch (error) {
    if (it.signal?.aborted) throw error;
    // An open circuit and a privacy policy reject a sample before anything is sent.
    if (!["circuit-open", "privacy-forbids"].includes(reasonOf(error))) it.statistics.offloaded();
    return withoutCloud(it, { ...before, ...cost() }, error);
  }
}

/** Calls both sides at once and prefers the cloud's result. */
async function askBoth<Sample, Result>(it: Case<Sample, Result>): Promise<Answer<Sample, Result>> {
  const edge: { answer?: Answer<Sample, Result> } = {};
  const asking = predict(it, open(it, "policy"));
  const known = asking.then(
    (answer) => (edge.answer = answer),
    () => undefined,
  );
  const fromCloud = await askCloud(
    { ...it, settings: { ...it.settings, policy: "cloud-only" } },
    open(it, "policy"),
  ).catch(async (error: unknown) => {
    if (it.signal?.aborted) throw error;
    return fallback(await asking, reasonOf(error), error);
  });
  if (fromCloud.source === "cloud") await Promise.race([known, Promise.resolve()]);
  return edge.answer
    ? {
        ...fromCloud,
        edgeResult: edge.answer.edgeResult,
        timings: { ...fromCloud.timings, edge: edge.answer.timings.edge },
      }
    : fromCloud;
}

/** Runs the edge model as a fallback, because the cloud is not called. */
async function askEdge<Sample, Result>(
  it: Case<Sample, Result>,
  before: Answer<Sample, Result>,
  reason: JointReason,
): Promise<Answer<Sample, Result>> {
  return fallback(await predict(it, before), reason);
}

async function withoutCloud<Sample, Result>(
  it: Case<Sample, Result>,
  before: Answer<Sample, Result>,
  error: unknown,
): Promise<Answer<Sample, Result>> {
  if (before.edgeResult === null && it.settings.policy === "cloud-only") throw error;
  const answer = before.edgeResult === null ? await predict(it, before) : before;
  return fallback(answer, reasonOf(error), error);
}

async function predict<Sample, Result>(
  { settings, sample, signal, now }: Case<Sample, Result>,
  before: Answer<Sample, Result>,
): Promise<Answer<Sample, Result>> {
  const started = now();
  const edgeResult = await settings.estimator.predict(sample, signal ? { signal } : {});
  const edge = now() - started;
  return {
    ...before,
    result: edgeResult,
    edgeResult,
    timings: { ...before.timings, edge, total: before.timings.total + edge },
  };
}

/** Runs the miner. If it throws, the edge's result stands, with the error attached. */
function mine<Sample, Result>(
  { settings, now }: Case<Sample, Result>,
  judged: unknown,
): { isHard: boolean; ms: number; failed: { reason?: JointReason; error?: unknown } } {
  const started = now();
  const miner = settings.hardExampleMining as HardExampleMiner<unknown> | undefined;
  try {
    const isHard = miner?.(judged) ?? false;
    return { isHard, ms: now() - started, failed: {} };
  } catch (error) {
    return { isHard: false, ms: now() - started, failed: { reason: "miner-failed", error } };
  }
}

/** Creates an empty result, before either side has run. */
function open<Sample, Result>(
  { index, sample }: Case<Sample, Result>,
  reason: JointReason,
  isHardExample = true,
): Answer<Sample, Result> {
  const timings = { edge: 0, mining: 0, cloud: 0, total: 0 };
  return {
    index,
    isHardExample,
    result: null,
    edgeResult: null,
    cloudResult: null,
    source: "edge",
    reason,
    final: true,
    timings,
    bytes: { up: 0, down: 0 },
    sample,
  };
}

function reasonOf(error: unknown): ErrorCode | "failed" {
  return error instanceof SednaError ? error.code : "failed";
}
