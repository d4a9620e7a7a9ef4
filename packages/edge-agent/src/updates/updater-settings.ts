import { describeValue } from "@sedna-js/core/errors";

/** How a new version has to prove itself. */
export interface UpdaterSettings {
  /** Time between two looks for a new version, in ms. Default 60000, Sedna's MODEL_POLL_PERIOD_SECONDS. */
  readonly pollMs?: number;
  /**
   * Live frames that a new version answers beside the current one, unheard. 0 leaves the shadow out. Default
   * 20.
   */
  readonly shadowFrames?: number;
  /** The shadow ends after so many ms, with however few frames. Default 30000. */
  readonly shadowMs?: number;
  /** A shadow answer that takes longer than so many ms is an error. Default 10000. */
  readonly shadowRunMs?: number;
  /**
   * Least mean agreement of the two models over the shadow's frames, in [0,1]. A better model differs too:
   * this finds broken ones. Default 0.5.
   */
  readonly minAgreement?: number;
  /** Largest ratio of the new version's median duration to the current one's. Default 2. */
  readonly maxLatencyRatio?: number;
  /**
   * A version is not called slower for a median that is less than so many ms above the current one's. Default
   * 5.
   */
  readonly latencySlackMs?: number;
  /** Live frames after the swap during which the former version stays ready. Default 200. */
  readonly probationFrames?: number;
  /** The probation ends after so many ms, with however few frames. Default 60000. */
  readonly probationMs?: number;
  /** Share of frames that may fail beyond the former version's share, in [0,1]. Default 0.05. */
  readonly maxErrorRate?: number;
  /**
   * How far the watched metric may fall below its value before the swap, as a share of that value. Default
   * 0.1.
   */
  readonly maxMetricDrop?: number;
  /** A new version that is not open, checked and warm within so many ms is left for later. Default 120000. */
  readonly stageMs?: number;
  /**
   * How long a former version may take to finish its last answers before it is disposed anyway, in ms.
   * Default 10000.
   */
  readonly drainMs?: number;
  /**
   * Times that a version is tried again after the process ended during its trial; then it is refused. Default
   * 3.
   */
  readonly maxTrials?: number;
}

/** All settings, as {@link checkUpdaterSettings} fills them in. */
export type CheckedUpdaterSettings = Required<UpdaterSettings>;

const day = 86_400_000;

/** Default, least and largest value of each setting. */
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
 * Settings with their defaults.
 * @throws {RangeError} on a value out of its range.
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
