import { describeValue } from "../errors.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type HardExampleMiner } from "./miner.ts";
import { numberParameter, toNumber } from "../check/number-parameter.ts";

/** Parameters of {@link IBT}: numbers or, as in Sedna's jobs, strings. */
export interface IBTParameters {
  /**
   * 1 - threshold_img is the share of low boxes that makes an image hard: a larger value uploads more images.
   * Default 0.5.
   */
  readonly threshold_img?: number | string;
  /** Score up to which a box is low. Default 0.5. */
  readonly threshold_box?: number | string;
}

/**
 * Image-box-thresholds: marks an image as hard if enough of its boxes have low scores, `count(score <=
 * threshold_box) / n >= 1 - threshold_img`. An image without boxes, or with a score outside [0,1], is not
 * hard.
 *
 * @throws {TypeError} If a row or a score is not a number. Source: `IBTFilter` in Sedna's
 * `algorithms/hard_example_mining`.
 */
export function IBT({ threshold_img = 0.5, threshold_box = 0.5 }: IBTParameters = {}): HardExampleMiner {
  // Use float64 deliberately: 1 - 0.7 is slightly more than 0.3, and Sedna's decisions depend on it.
  const lowShare = 1 - numberParameter("threshold_img", threshold_img);
  const lowScore = numberParameter("threshold_box", threshold_box);

  return (inferResult) => {
    const rows = detectionRows(inferResult);
    if (rows.length === 0) return false;
    let low = 0;
    for (const row of rows) {
      const score = toNumber(row[SCORE]);
      if (score === undefined)
        throw new TypeError(`mine with IBT: expected a number as score; got ${describeValue(row[SCORE])}`);
      if (!(score >= 0 && score <= 1)) return false;
      if (score <= lowScore) low++;
    }
    return low / rows.length >= lowShare;
  };
}
