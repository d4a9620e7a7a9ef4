import { intersectionOverUnion } from "../box.ts";

/**
 * Agreement of detections with a reference: counts, and F1 = 2TP / (2TP + FP + FN), which is 1 if both are
 * empty.
 */
export interface Agreement {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly f1: number;
}

/** Options of {@link agreement}. */
interface AgreementOptions {
  readonly found: readonly ArrayLike<number>[];
  readonly reference: readonly ArrayLike<number>[];
  readonly iou?: number;
}

/**
 * Matches boxes greedily, best score first, each to the free reference box of the same label that it
 * overlaps most, at an IoU of at least `iou`.
 *
 * @param found rows [xmin, ymin, xmax, ymax, score?, label?]; rows without a label match any.
 *
 * @example
 * ```ts
 * import { agreement } from "@sedna-js/core";
 *
 * const box = [0, 0, 10, 10, 0.9, 1];
 * console.log(agreement({ found: [box], reference: [box] }).f1); // => 1
 * ```
 */
export function agreement({ found, reference, iou = 0.5 }: AgreementOptions): Agreement {
  const free = new Set(reference);
  let truePositives = 0;
  for (const row of found.toSorted((a, b) => (b[4] ?? 0) - (a[4] ?? 0))) {
    let best: ArrayLike<number> | undefined;
    let bestOverlap = iou;
    for (const candidate of free) {
      const sameLabel = row[5] === undefined || candidate[5] === undefined || row[5] === candidate[5];
      const overlap = sameLabel ? intersectionOverUnion(row, candidate) : 0;
      if (overlap >= bestOverlap) [best, bestOverlap] = [candidate, overlap];
    }
    if (best && free.delete(best)) truePositives++;
  }
  const falsePositives = found.length - truePositives;
  const falseNegatives = reference.length - truePositives;
  const total = 2 * truePositives + falsePositives + falseNegatives;
  return { truePositives, falsePositives, falseNegatives, f1: total === 0 ? 1 : (2 * truePositives) / total };
}
