/** How long a run may take; see {@link createRunTimeout}. */
export interface RunTimeout {
  /** In ms, for the next run. */
  readonly ms: number;
  /** Tells how long a run has taken that was answered. */
  took(ms: number): void;
}

/** In ms. A first run has the most: on a GPU it compiles. */
const BOUNDS = { least: 5000, most: 60_000 } as const;
const TIMES_MEDIAN = 20;
const REMEMBERED = 15;

/**
 * The time after which a run of a model just opened counts as hung: `fixed`, or twenty times the median of
 * the last runs, within 5 and 60 s.
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
      // Of the first, which compiled, nothing follows for the next; and nobody need sort for each frame of a
      // camera.
      if (runs === 1 || (runs > REMEMBERED && runs % REMEMBERED !== 0)) return;
      const median = durations.toSorted((a, b) => a - b)[(durations.length - 1) >> 1]!;
      ms = Math.min(BOUNDS.most, Math.max(BOUNDS.least, TIMES_MEDIAN * median));
    },
  };
}
