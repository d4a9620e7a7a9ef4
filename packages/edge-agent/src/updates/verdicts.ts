import type { ModelRejection } from "./update-events.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";

/** What is thought of a version so far. */
export type Verdict =
  | { readonly decision: "wait" }
  | { readonly decision: "accept" }
  /** `reason` reads `expected ..., got ...`. */
  | { readonly decision: "refuse"; readonly rejection: ModelRejection; readonly reason: string };

/**
 * How much slower a median is than another: over the ratio that is allowed, and by more than noise. NaN is
 * never slower.
 */
function isSlower(
  { ms, than }: { readonly ms: number; readonly than: number },
  { maxLatencyRatio, latencySlackMs }: Pick<CheckedUpdaterSettings, "maxLatencyRatio" | "latencySlackMs">,
): boolean {
  return ms > maxLatencyRatio * than && ms - than > latencySlackMs;
}

/** Milliseconds for people. */
function inMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`;
}

/** What was seen while a candidate answered live frames beside the current model. */
export interface ShadowRecord {
  /** One for each frame that both answered: how much they agree, in [0,1]. */
  readonly agreements: readonly number[];
  /** The candidate's durations, in ms. */
  readonly candidateMs: readonly number[];
  /** The current model's durations meanwhile, in ms. */
  readonly currentMs: readonly number[];
  /** Why the candidate failed on frames that the current model answered. */
  readonly failures: readonly string[];
  /** True when time is up: judged is what there is. */
  readonly isOver: boolean;
}

/**
 * Frames that both answered, their mean agreement, and the ratio of the medians, new over old; absent where
 * nothing is known.
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
 * Judges a candidate that has not been heard yet: one failure on a frame that the current model answers is
 * one too many.
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
  // Asked this way round, so that NaN is no agreement.
  if (!(agreement >= settings.minAgreement)) {
    return {
      decision: "refuse",
      rejection: "shadow-disagrees",
      reason: `expected an agreement of at least ${settings.minAgreement} with the current version over ${frames} live frames; got ${Number(agreement.toPrecision(3))}`,
    };
  }
  const latency = { ms: median(candidateMs), than: median(currentMs) };
  // Two models share the machine here, and the frames are few: its fast runs have to say so too.
  if (
    isSlower(latency, settings) &&
    isSlower({ ms: lowerQuartile(candidateMs), than: latency.than }, settings)
  ) {
    return {
      decision: "refuse",
      rejection: "shadow-slower",
      reason: `expected at most ${settings.maxLatencyRatio} times ${inMs(latency.than)} a frame; got ${inMs(latency.ms)}`,
    };
  }
  return { decision: "accept" };
}

/** How the former version did, to measure the new one against. */
export interface Baseline {
  /** Median duration of an answer in ms; NaN where none was seen. */
  readonly ms: number;
  /** Share of frames that failed, in [0,1]; 0 where none was seen. */
  readonly errorRate: number;
  /** The watched metric just before the swap; NaN where there is none. */
  readonly metric: number;
}

/** What was seen of a new version since it answers. */
export interface ProbationRecord {
  /** Durations of its answers, in ms. */
  readonly answersMs: readonly number[];
  /** Frames that it failed on, or answered with NaN. */
  readonly errors: number;
  /** Of these, the latest in a row. */
  readonly errorsInARow: number;
  /** How often it had to be opened again, which its supervisor hides. */
  readonly restarts: number;
  /** The watched metric now; NaN where there is none. */
  readonly metric: number;
  /** True when time is up: judged is what there is. */
  readonly isOver: boolean;
}

/** So many failures one after the other are a model that does not work, whatever share they are. */
const ERRORS_IN_A_ROW = 5;

/** A device may be lost once, and once more when it is built again, whatever model it runs. */
const RESTARTS = 3;

/** Before so many frames a median or a metric says nothing yet. */
const FEW_FRAMES = 20;

/** Judges a version that answers, while its predecessor waits to come back. */
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

  // As soon as no number of good frames can make up for it, not only at the end.
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
      reason: `expected a model that keeps running; got one that had to be opened again ${restarts} times in ${frames} frames`,
    };
  if (!isDone && frames < FEW_FRAMES) return { decision: "wait" };

  const ms = median(answersMs);
  if (isSlower({ ms, than: baseline.ms }, settings)) {
    return {
      decision: "refuse",
      rejection: "slower",
      reason: `expected at most ${maxLatencyRatio} times ${inMs(baseline.ms)} a frame; got ${inMs(ms)}`,
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

/** The median of values, the lower of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  return atShare(values, 0.5);
}

/** The value that a quarter of the values do not exceed; NaN of none. */
function lowerQuartile(values: readonly number[]): number {
  return atShare(values, 0.25);
}

function atShare(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? NaN;
}
