import { median } from "./median.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";
import { inMs, isSlower, type Verdict } from "./verdict.ts";

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
      refusal: "errors",
      reason: `expected at most ${Number((100 * allowedRate).toPrecision(3))} % of the frames to fail; got ${errors} of ${frames}`,
    };
  }
  if (restarts >= RESTARTS)
    return {
      decision: "refuse",
      refusal: "errors",
      reason: `expected a model that keeps running; got one that had to be opened again ${restarts} times in ${frames} frames`,
    };
  if (!isDone && frames < FEW_FRAMES) return { decision: "wait" };

  const ms = median(answersMs);
  if (isSlower({ ms, than: baseline.ms }, settings)) {
    return {
      decision: "refuse",
      refusal: "slower",
      reason: `expected at most ${maxLatencyRatio} times ${inMs(baseline.ms)} a frame; got ${inMs(ms)}`,
    };
  }
  const least = baseline.metric - maxMetricDrop * Math.abs(baseline.metric);
  if (frames > 0 && metric < least) {
    return {
      decision: "refuse",
      refusal: "metric",
      reason: `expected the watched metric to stay at ${Number(least.toPrecision(6))} or above; got ${metric}`,
    };
  }
  return isDone ? { decision: "accept" } : { decision: "wait" };
}
