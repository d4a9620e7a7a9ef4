/** Timeout of a run; see {@link createRunTimeout}. */
export interface RunTimeout {
  /** Timeout of the next run, in ms. */
  readonly ms: number;
  /** Records the duration of a run that succeeded, in ms. */
  took(ms: number): void;
}

/** Bounds of the timeout, in ms. The first run gets the maximum: on a GPU it compiles. */
const BOUNDS = { least: 5000, most: 60_000 } as const;
const TIMES_MEDIAN = 20;
const REMEMBERED = 15;

/**
 * Creates the timeout after which a run counts as hung, for a model that was just opened: `fixed`, or twenty
 * times the median of the last runs, within 5 and 60 s.
 */
export function createRunTimeout(fixed?: number): RunTimeout {
  const durations: number[] = [];
  let runs = 0;
  let ms = fixed ?? BOUNDS.most;

  return {
    get ms() {
      return ms;
    },
    took(duration) {
      if (fixed !== undefined) return;
      durations[runs++ % REMEMBERED] = duration;
      // The first run compiles, and predicts nothing about later ones. Later the median is updated only every
      // few runs, to avoid a sort for each camera frame.
      if (runs === 1 || (runs > REMEMBERED && runs % REMEMBERED !== 0)) return;
      const median = durations.toSorted((a, b) => a - b)[(durations.length - 1) >> 1]!;
      ms = Math.min(BOUNDS.most, Math.max(BOUNDS.least, TIMES_MEDIAN * median));
    },
  };
}
