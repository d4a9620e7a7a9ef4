import { intersectionOverUnion } from "../box.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type DetectionRow, type HardExampleMiner } from "./miner.ts";
import { type GivenParameters, numberParameter, optionalNumber, parameterized } from "../check/parameters.ts";
import { createRunningQuantile, WARM_UP } from "./running-quantile.ts";

const difficultyParameters = {
  /** Score from which rows are shown to users and are part of the result. */
  display_threshold: numberParameter({
    fallback: 0.3,
    min: 0,
    max: 1,
  }),
  /**
   * Factor by which a person's probability decays per frame. The default is tuned for 10 frames per second.
   */
  decay: numberParameter({ fallback: 0.7, min: 0, max: 1 }),
  /**
   * Slope of the calibration: a box of score s is right with probability logistic(slope * logit(s) +
   * offset).
   */
  slope: numberParameter({ fallback: 2 }),
  /** Offset of the calibration. */
  offset: numberParameter({ fallback: 0 }),
};

/** Parameters of {@link expectedF1Loss}. */
export type DifficultyParameters = GivenParameters<typeof difficultyParameters>;

const parameters = {
  /** Share of frames to mark as hard, held by comparing each frame with the previous ones. */
  upload_ratio: numberParameter({ fallback: 0.2, min: 0, max: 1 }),
  /** Difficulty in 0..1 above which a frame is hard. Replaces `upload_ratio`. */
  threshold: optionalNumber({
    absent: "`upload_ratio` decides",
  }),
  /** Number of frames over which the share is held. */
  window: numberParameter({
    fallback: 100,
    min: WARM_UP,
    whole: true,
  }),
  ...difficultyParameters,
};

/** Parameters of {@link ExpectedF1}: numbers or, as in Sedna's jobs, numeric strings. */
export type ExpectedF1Parameters = GivenParameters<typeof parameters>;

/**
 * Marks a detector's result as hard if it is expected to lose much of its F1: through shown boxes that may be
 * wrong, hidden boxes that may be right, and recent boxes that are now weak or gone. Pass all rows of the
 * detector with a score of about 0.05 or more, in the order of the frames of one camera.
 *
 * Source: this project; docs/miners.md compares it with other miners.
 *
 * @throws {TypeError} If a row is not a row of numbers.
 * @throws {RangeError} If a parameter is out of its range.
 */
export const ExpectedF1 = parameterized(
  parameters,
  ({ upload_ratio, threshold, window, ...calibration }): HardExampleMiner<readonly DetectionRow[]> => {
    const difficulty = expectedF1Loss(calibration);
    if (threshold !== undefined) return (rows) => difficulty(rows) > threshold;
    const isHigh = createRunningQuantile({ ratio: upload_ratio, window });
    return (rows) => isHigh(difficulty(rows));
  },
);

interface Remembered {
  readonly row: DetectionRow;
  readonly p: number;
}

/** Minimum overlap of two boxes in consecutive frames that show the same person. */
const SAME = 0.3;
/** Probability at or below which a person is forgotten. */
const KEEP = 0.05;

/**
 * Returns a function that computes the share of F1 that a detector's rows are expected to lose, in 0..1, for
 * consecutive frames of one camera.
 *
 * F1 = 2TP / (2TP + FP + FN). A shown row is a true positive with probability p, else a false positive. A
 * hidden row, or a remembered person who is gone, is a false negative with probability p. The denominator is
 * therefore the number of shown rows plus the expected number of people, and the numerator is twice the sum
 * of the shown rows' probabilities.
 */
export const expectedF1Loss = parameterized(difficultyParameters, (parameters) => {
  const { display_threshold: shownFrom, decay: fade, slope: a, offset: b } = parameters;
  const probability = (score: number): number => {
    const s = Math.min(Math.max(score, 1e-4), 1 - 1e-4);
    return 1 / (1 + Math.exp(-(a * Math.log(s / (1 - s)) + b)));
  };
  let memory: readonly Remembered[] = [];

  return (inferResult: readonly DetectionRow[]): number => {
    const rows = detectionRows(inferResult);
    const now = rows.map((row) => ({ row, p: probability(Number(row[SCORE])) }));
    const partners = pair(memory, rows);
    const gone: Remembered[] = [];
    for (const [i, { row, p }] of memory.entries()) {
      const partner = now[partners[i]!];
      if (partner) partner.p = Math.max(partner.p, fade * p);
      else if (fade * p > KEEP) gone.push({ row, p: fade * p });
    }
    memory = [...now.filter(({ p }) => p > KEEP), ...gone];

    const shown = now.filter(({ row }) => Number(row[SCORE]) >= shownFrom);
    const sum = (list: readonly Remembered[]): number => list.reduce((total, { p }) => total + p, 0);
    const total = shown.length + sum(now) + sum(gone);
    return total > 0 ? 1 - (2 * sum(shown)) / total : 0;
  };
});

/**
 * Returns the index of the row that matches each remembered person, or -1. The person with the highest
 * probability is matched first, to the row that overlaps most.
 */
function pair(memory: readonly Remembered[], rows: readonly DetectionRow[]): number[] {
  const partners = memory.map(() => -1);
  const free = new Set(rows.keys());
  const surestFirst = Array.from(memory.keys()).toSorted((i, j) => memory[j]!.p - memory[i]!.p);
  for (const i of surestFirst) {
    let best = -1;
    let bestOverlap = 0;
    for (const j of free) {
      const overlap = sameLabel(memory[i]!.row, rows[j]!)
        ? intersectionOverUnion(memory[i]!.row, rows[j]!)
        : 0;
      if (overlap > bestOverlap) [best, bestOverlap] = [j, overlap];
    }
    if (bestOverlap >= SAME) {
      partners[i] = best;
      free.delete(best);
    }
  }
  return partners;
}

function sameLabel(a: DetectionRow, b: DetectionRow): boolean {
  return a[SCORE + 1] === b[SCORE + 1];
}
