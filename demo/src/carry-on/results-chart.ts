import { lines } from "../charts.ts";

const WINDOW_S = 60;

/** Monotonic counters. */
export interface AnswerCounts {
  readonly edge: number;
  readonly cloud: number;
  /** Frames without a result. */
  readonly none: number;
}

/** The chart of results by source. See {@link createAnswersChart}. */
export interface ResultsChart {
  /** Marks the current time. */
  mark(label: string): void;
  stop(): void;
}

/**
 * Creates a chart of the results per second by source, over the last minute. The lines also differ in their
 * dashes.
 */
export function createAnswersChart({
  place,
  counts,
}: {
  readonly place: HTMLElement;
  readonly counts: () => AnswerCounts;
}): ResultsChart {
  const seconds = Array.from({ length: WINDOW_S }, (_, i) => i - WINDOW_S + 1);
  const rates = {
    edge: seconds.map((): number | null => null),
    cloud: seconds.map((): number | null => null),
    none: seconds.map((): number | null => null),
  };
  const marks: { readonly at: number; readonly label: string }[] = [];
  const last = { at: performance.now(), counts: counts() };

  const draw = lines(
    place,
    [
      { label: "edge (solid)", color: "--edge" },
      { label: "cloud (dashed)", color: "--cloud", dash: [10, 4] },
      { label: "no result (dotted)", color: "--ink", dash: [2, 3] },
    ],
    () => [seconds, rates.edge, rates.cloud, rates.none],
    { height: 170, marks: () => marks.map(({ at, label }) => ({ x: (at - last.at) / 1000, label })) },
  );

  const timer = setInterval(() => {
    const [now, current] = [performance.now(), counts()];
    for (const who of ["edge", "cloud", "none"] as const) {
      rates[who].shift();
      rates[who].push((1000 * (current[who] - last.counts[who])) / (now - last.at));
    }
    Object.assign(last, { at: now, counts: current });
    while (marks[0] && now - marks[0].at > 1000 * WINDOW_S) marks.shift();
    draw();
  }, 1000);

  return {
    mark(label) {
      marks.push({ at: performance.now(), label });
    },
    stop: () => clearInterval(timer),
  };
}
