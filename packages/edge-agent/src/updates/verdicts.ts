import type { ModelRejection } from "./update-events.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";

/** The current verdict on a version. */
export type Verdict =
  | { readonly decision: "wait" }
  | { readonly decision: "accept" }
  /** `reason` reads `expected ...; got ...`. */
  | { readonly decision: "refuse"; readonly rejection: ModelRejection; readonly reason: string };

/**
 * Returns whether a median is slower than another: by more than the permitted ratio, and by more than noise.
 * NaN is never slower.
 */
function isSlower(
  { ms, than }: { readonly ms: number; readonly than: number },
  { maxLatencyRatio, latencySlackMs }: Pick<CheckedUpdaterSettings, "maxLatencyRatio" | "latencySlackMs">,
): boolean {
  return ms > maxLatencyRatio * than && ms - than > latencySlackMs;
}

/** Formats milliseconds for display. */
function formatMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`;
}

/** Measurements of a candidate that ran on live frames beside the current model. */
export interface ShadowRecord {
  /** Agreement on each frame for which both models have a result, in [0,1]. */
  readonly agreements: readonly number[];
  /** Durations of the candidate's runs, in ms. */
  readonly candidateMs: readonly number[];
  /** Durations of the current model's runs meanwhile, in ms. */
  readonly currentMs: readonly number[];
  /** Error messages of the candidate on frames that the current model processed. */
  readonly failures: readonly string[];
  /** `true` when time is up: the verdict uses the frames so far. */
  readonly isOver: boolean;
}

/**
 * Returns the number of frames processed by both models, their mean agreement, and the ratio of the median
 * durations, new to old. Unknown values are absent.
 */
export function shadowSummary({ agreements, candidateMs, currentMs }: ShadowRecord): {
  readonly frames: number;
  readonly agreement?: number;
  readonly latencyRatio?: number;
} {
  const frames = agreements.length;
  if (frames === 0) return { frames };
  const latencyRatio = median(candidateMs) / median(currentMs);
  const agreement = agreements.reduce((sum, one) => sum + one, 0) / frames;
  return { frames, agreement, ...(Number.isFinite(latencyRatio) ? { latencyRatio } : {}) };
}

/**
 * Returns the verdict on a candidate whose results are not in use yet. A single failure on a frame that the
 * current model processes rejects it.
 */
export function shadowVerdict(
  record: ShadowRecord,
  settings: Pick<
    CheckedUpdaterSettings,
    "shadowFrames" | "minAgreement" | "maxLatencyRatio" | "latencySlackMs"
  >,
): Verdict {
  const { agreements, candidateMs, currentMs, failures, isOver } = record;
  if (failures.length > 0) return { decision: "refuse", rejection: "shadow-errors", reason: failures[0]! };
  if (agreements.length < settings.shadowFrames && !isOver) return { decision: "wait" };
  const { frames, agreement = 1 } = shadowSummary(record);
  // Compare in this direction, so that NaN fails.
  if (!(agreement >= settings.minAgreement)) {
    return {
      decision: "refuse",
      rejection: "shadow-disagrees",
      reason: `expected an agreement of at least ${settings.minAgreement} with the current version over ${frames} live frames; got ${Number(agreement.toPrecision(3))}`,
    };
  }
  const latency = { ms: median(candidateMs), than: median(currentMs) };
  // Here two models share the machine, and the frames are few: the candidate's fast runs must be slower as
  // well.
  if (
    isSlower(latency, settings) &&
    isSlower({ ms: lowerQuartile(candidateMs), than: latency.than }, settings)
  ) {
    return {
      decision: "refuse",
      rejection: "shadow-slower",
      reason: `expected at most ${settings.maxLatencyRatio} times ${formatMs(latency.than)} a frame; got ${formatMs(latency.ms)}`,
    };
  }
  return { decision: "accept" };
}

/** Measurements of the previous version, with which the new one is compared. */
export interface Baseline {
  /** Median duration of a call, in ms; NaN if there was none. */
  readonly ms: number;
  /** Share of frames that failed, in [0,1]; 0 if there were none. */
  readonly errorRate: number;
  /** The monitored metric just before the swap; NaN if there is none. */
  readonly metric: number;
}

/** Measurements of a new version since the swap. */
export interface ProbationRecord {
  /** Durations of its successful calls, in ms. */
  readonly answersMs: readonly number[];
  /** Number of frames that failed or had a NaN in their result. */
  readonly errors: number;
  /** Number of consecutive failures up to the last frame. */
  readonly errorsInARow: number;
  /** Number of restarts, which its supervisor hides. */
  readonly restarts: number;
  /** The current value of the monitored metric; NaN if there is none. */
  readonly metric: number;
  /** `true` when time is up: the verdict uses the frames so far. */
  readonly isOver: boolean;
}

/** Number of consecutive failures at which a model is rejected, regardless of their share. */
const ERRORS_IN_A_ROW = 5;

/**
 * Number of restarts at which a model is rejected. A device may be lost once, and again when it is
 * re-created, with any model.
 */
const RESTARTS = 3;

/** Number of frames below which a median or a metric is not significant. */
const FEW_FRAMES = 20;

/** Returns the verdict on a version that runs while its predecessor is kept for a rollback. */
export function probationVerdict(
  { answersMs, errors, errorsInARow, restarts, metric, isOver }: ProbationRecord,
  {
    baseline,
    settings,
  }: {
    readonly baseline: Baseline;
    readonly settings: Pick<
      CheckedUpdaterSettings,
      "probationFrames" | "maxErrorRate" | "maxLatencyRatio" | "latencySlackMs" | "maxMetricDrop"
    >;
  },
): Verdict {
  const { probationFrames, maxErrorRate, maxLatencyRatio, maxMetricDrop } = settings;
  const frames = answersMs.length + errors;
  const isDone = isOver || frames >= probationFrames;
  const allowedRate = Math.min(1, baseline.errorRate + maxErrorRate);

  // Reject as soon as no number of good frames can compensate for the errors, not only at the end.
  const tooMany = errors > allowedRate * (isDone ? frames : Math.max(frames, probationFrames));
  if (tooMany || (errorsInARow >= ERRORS_IN_A_ROW && allowedRate < 1)) {
    return {
      decision: "refuse",
      rejection: "errors",
      reason: `expected at most ${Number((100 * allowedRate).toPrecision(3))} % of the frames to fail; got ${errors} of ${frames}`,
    };
  }
  if (restarts >= RESTARTS)
    return {
      decision: "refuse",
      rejection: "errors",
      reason: `expected a model that keeps running; got one that was restarted ${restarts} times in ${frames} frames`,
    };
  if (!isDone && frames < FEW_FRAMES) return { decision: "wait" };

  const ms = median(answersMs);
  if (isSlower({ ms, than: baseline.ms }, settings)) {
    return {
      decision: "refuse",
      rejection: "slower",
      reason: `expected at most ${maxLatencyRatio} times ${formatMs(baseline.ms)} a frame; got ${formatMs(ms)}`,
    };
  }
  const least = baseline.metric - maxMetricDrop * Math.abs(baseline.metric);
  if (frames > 0 && metric < least) {
    return {
      decision: "refuse",
      rejection: "metric",
      reason: `expected the watched metric to stay at ${Number(least.toPrecision(6))} or above; got ${metric}`,
    };
  }
  return isDone ? { decision: "accept" } : { decision: "wait" };
}

/** Returns the median, or the lower of the two middle values; NaN for no values. */
export function median(values: readonly number[]): number {
  return atShare(values, 0.5);
}

/** Returns the lower quartile: the value that a quarter of the values do not exceed; NaN for no values. */
function lowerQuartile(values: readonly number[]): number {
  return atShare(values, 0.25);
}

function atShare(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? NaN;
}
