import { intersectionOverUnion } from "../box.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type DetectionRow, type HardExampleMiner } from "./miner.ts";
import { numberParameter } from "../check/number-parameter.ts";
import { createRunningQuantile } from "./running-quantile.ts";

/** Parameters of {@link ExpectedF1}; numbers or, as in Sedna's jobs, numeric strings. */
export interface ExpectedF1Parameters extends DifficultyParameters {
  /** Share of frames to call hard, held by comparing with the frames before. Default 0.2. */
  readonly upload_ratio?: number | string;
  /** Instead of a share: hard above this difficulty, in 0..1. */
  readonly threshold?: number | string;
  /** Frames that a share is held over. Default 100. */
  readonly window?: number | string;
}

/** Parameters of {@link expectedF1Loss}. */
export interface DifficultyParameters {
  /** Rows from this score on are shown to people, and count as answers. Default 0.3. */
  readonly display_threshold?: number | string;
  /** How much of a person's certainty is left one frame later. Default 0.7, chosen for 10 frames a second. */
  readonly decay?: number | string;
  /** With `offset`: a score s is right with probability logistic(slope * logit(s) + offset). Default 2. */
  readonly slope?: number | string;
  /** Default 0. */
  readonly offset?: number | string;
}

/**
 * Hard when the answer of a detector is expected to lose much of its F1: boxes that are shown and may be
 * wrong, boxes that are not shown and may be right, and what was seen a moment ago and is now weak or gone.
 * Feed it all rows of the detector from a score of about 0.05 on, in the order of the frames of one camera.
 *
 * @throws {TypeError} on a row that is no row; {RangeError} on a parameter out of its range.
 * Source: this project; measured against other miners in docs/miners.md.
 */
export function ExpectedF1({
  upload_ratio = 0.2,
  threshold,
  window = 100,
  ...parameters
}: ExpectedF1Parameters = {}): HardExampleMiner<readonly DetectionRow[]> {
  const difficulty = expectedF1Loss(parameters);
  if (threshold !== undefined) {
    const limit = numberParameter("threshold", threshold);
    return (rows) => difficulty(rows) > limit;
  }
  const isHigh = createRunningQuantile({
    ratio: numberParameter("upload_ratio", upload_ratio),
    window: numberParameter("window", window),
  });
  return (rows) => isHigh(difficulty(rows));
}

interface Remembered {
  readonly row: DetectionRow;
  readonly p: number;
}

/** Boxes that overlap at least this much are the same person, one frame later. */
const SAME = 0.3;
/** What is less likely than this is forgotten. */
const KEEP = 0.05;

/**
 * The share of F1 that a detector's rows are expected to lose, in 0..1, for frame after frame of one camera.
 *
 * F1 = 2TP / (2TP + FP + FN). A row shown is a true positive with probability p, else a false one; a row not
 * shown, or a person remembered and now gone, is a false negative with probability p. So shown rows and
 * expected people together are the denominator, and twice the probabilities of the shown rows its numerator.
 */
export function expectedF1Loss({
  display_threshold = 0.3,
  decay = 0.7,
  slope = 2,
  offset = 0,
}: DifficultyParameters = {}): (rows: readonly DetectionRow[]) => number {
  const shownFrom = share("display_threshold", display_threshold);
  const fade = share("decay", decay);
  const [a, b] = [numberParameter("slope", slope), numberParameter("offset", offset)];
  const probability = (score: number): number => {
    const s = Math.min(Math.max(score, 1e-4), 1 - 1e-4);
    return 1 / (1 + Math.exp(-(a * Math.log(s / (1 - s)) + b)));
  };
  let memory: readonly Remembered[] = [];

  return (inferResult) => {
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
}

/**
 * For each remembered person the index of its row now, or -1: the surest first takes the row it overlaps
 * most.
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

function share(name: string, value: unknown): number {
  const parsed = numberParameter(name, value);
  if (!(parsed >= 0 && parsed <= 1))
    throw new RangeError(`read ${name}: expected a number from 0 to 1; got ${parsed}`);
  return parsed;
}
