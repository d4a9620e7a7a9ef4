import { describeValue } from "../errors.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type HardExampleMiner } from "./miner.ts";
import { numberParameter, parameterized } from "../check/parameters.ts";
import { toNumber } from "../check/to-number.ts";

const parameters = {
  /**
   * 1 - threshold_img is the share of low boxes that makes an image hard: a larger value uploads more
   * images.
   */
  threshold_img: numberParameter({ fallback: 0.5 }),
  /** Score up to which a box is low. */
  threshold_box: numberParameter({ fallback: 0.5 }),
};

/**
 * Image-box-thresholds: marks an image as hard if enough of its boxes have low scores, `count(score <=
 * threshold_box) / n >= 1 - threshold_img`. An image without boxes, or with a score outside [0,1], is not
 * hard.
 *
 * Source: `IBTFilter` in Sedna's `algorithms/hard_example_mining`.
 *
 * @throws {TypeError} If a row or a score is not a number.
 */
export const IBT = parameterized(parameters, ({ threshold_img, threshold_box }): HardExampleMiner => {
  // Use float64 deliberately: 1 - 0.7 is slightly more than 0.3, and Sedna's decisions depend on it.
  const lowShare = 1 - threshold_img;

  return (inferResult) => {
    const rows = detectionRows(inferResult);
    if (rows.length === 0) return false;
    let low = 0;
    for (const row of rows) {
      const score = toNumber(row[SCORE]);
      if (score === undefined)
        throw new TypeError(`mine with IBT: expected a number as score; got ${describeValue(row[SCORE])}`);
      if (!(score >= 0 && score <= 1)) return false;
      if (score <= threshold_box) low++;
    }
    return low / rows.length >= lowShare;
  };
});
