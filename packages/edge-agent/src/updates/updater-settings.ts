import { describeValue } from "@sedna-js/core/errors";

/** Criteria for a new version. */
export interface UpdaterSettings {
  /**
   * Interval between two checks for a new version, in ms. Default 60000, Sedna's MODEL_POLL_PERIOD_SECONDS.
   */
  readonly pollMs?: number;
  /**
   * Number of live frames on which a new version runs beside the current one, without using its results. 0
   * skips the shadow. Default 20.
   */
  readonly shadowFrames?: number;
  /** Maximum duration of the shadow, in ms, regardless of the number of frames. Default 30000. */
  readonly shadowMs?: number;
  /** Timeout of a shadow run, in ms. A longer run is an error. Default 10000. */
  readonly shadowRunMs?: number;
  /**
   * Minimum mean agreement of the two models over the frames of the shadow, in [0,1]. A better model also
   * differs: this detects broken models. Default 0.5.
   */
  readonly minAgreement?: number;
  /** Maximum ratio of the new version's median duration to that of the current one. Default 2. */
  readonly maxLatencyRatio?: number;
  /** Minimum difference of the median durations at which a version is considered slower, in ms. Default 5. */
  readonly latencySlackMs?: number;
  /** Number of live frames after the swap during which the previous version stays open. Default 200. */
  readonly probationFrames?: number;
  /** Maximum duration of the probation, in ms, regardless of the number of frames. Default 60000. */
  readonly probationMs?: number;
  /** Maximum share of failed frames above that of the previous version, in [0,1]. Default 0.05. */
  readonly maxErrorRate?: number;
  /**
   * Maximum drop of the monitored metric below its value before the swap, as a share of that value. Default
   * 0.1.
   */
  readonly maxMetricDrop?: number;
  /**
   * Time within which a new version must be open, checked, and warm, in ms. Otherwise it is postponed.
   * Default 120000.
   */
  readonly stageMs?: number;
  /**
   * Time that a previous version has to finish its pending calls before it is disposed anyway, in ms. Default
   * 10000.
   */
  readonly drainMs?: number;
  /**
   * Number of trials of a version during which the process ended, after which the version is rejected.
   * Default 3.
   */
  readonly maxTrials?: number;
}

/** All settings with the defaults of {@link checkUpdaterSettings}. */
export type CheckedUpdaterSettings = Required<UpdaterSettings>;

const day = 86_400_000;

/** Default, minimum, and maximum of each setting. */
const limits = {
  pollMs: [60_000, 1, day],
  shadowFrames: [20, 0, 1e6],
  shadowMs: [30_000, 1, day],
  shadowRunMs: [10_000, 1, day],
  minAgreement: [0.5, 0, 1],
  maxLatencyRatio: [2, 1, 1e6],
  latencySlackMs: [5, 0, day],
  probationFrames: [200, 0, 1e6],
  probationMs: [60_000, 1, day],
  maxErrorRate: [0.05, 0, 1],
  maxMetricDrop: [0.1, 0, 1e6],
  stageMs: [120_000, 1, day],
  drainMs: [10_000, 0, day],
  maxTrials: [3, 1, 1e6],
} as const satisfies Record<keyof UpdaterSettings, readonly [fallback: number, least: number, most: number]>;

/**
 * Returns the settings with their defaults.
 * @throws {RangeError} If a value is out of range.
 */
export function checkUpdaterSettings(settings: UpdaterSettings = {}): CheckedUpdaterSettings {
  const checked = Object.entries(limits).map(([name, [fallback, least, most]]) => {
    const value: unknown = settings[name as keyof UpdaterSettings] ?? fallback;
    if (typeof value !== "number" || !(value >= least && value <= most))
      throw new RangeError(
        `set ${name}: expected a number from ${least} to ${most}; got ${describeValue(value)}`,
      );
    return [name, value] as const;
  });
  return Object.fromEntries(checked) as unknown as CheckedUpdaterSettings;
}
