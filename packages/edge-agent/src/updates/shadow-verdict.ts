import { lowerQuartile, median } from "./median.ts";
import type { CheckedUpdaterSettings } from "./updater-settings.ts";
import { inMs, isSlower, type Verdict } from "./verdict.ts";

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

/** Frames that both answered, their mean agreement, and the ratio of the medians, new over old; absent where nothing is known. */
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

/** Judges a candidate that has not been heard yet: one failure on a frame that the current model answers is one too many. */
export function shadowVerdict(
  record: ShadowRecord,
  settings: Pick<
    CheckedUpdaterSettings,
    "shadowFrames" | "minAgreement" | "maxLatencyRatio" | "latencySlackMs"
  >,
): Verdict {
  const { agreements, candidateMs, currentMs, failures, isOver } = record;
  if (failures.length > 0) return { decision: "refuse", refusal: "shadow-errors", reason: failures[0]! };
  if (agreements.length < settings.shadowFrames && !isOver) return { decision: "wait" };
  const { frames, agreement = 1 } = shadowSummary(record);
  // Asked this way round, so that NaN is no agreement.
  if (!(agreement >= settings.minAgreement)) {
    return {
      decision: "refuse",
      refusal: "shadow-disagrees",
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
      refusal: "shadow-slower",
      reason: `expected at most ${settings.maxLatencyRatio} times ${inMs(latency.than)} a frame; got ${inMs(latency.ms)}`,
    };
  }
  return { decision: "accept" };
}
