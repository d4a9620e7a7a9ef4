import { describeValue } from "../errors.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type HardExampleMiner } from "./miner.ts";
import { numberParameter, toNumber } from "../check/number-parameter.ts";

/** Parameters of {@link IBT}; strings as in Sedna's jobs are fine. */
export interface IBTParameters {
  /**
   * 1 - threshold_img is the share of low boxes that makes an image hard, so a larger value offloads more.
   */
  readonly threshold_img?: number | string;
  /** A box is low when its score is at most this. */
  readonly threshold_box?: number | string;
}

/**
 * Image-box-thresholds: an image is hard when enough of its boxes have low scores,
 * `count(score <= threshold_box) / n >= 1 - threshold_img`. No boxes, or any score outside [0,1]: not hard.
 *
 * @throws {TypeError} on a row or score that is no number.
 * Source: `IBTFilter` in Sedna's `algorithms/hard_example_mining`.
 */
export function IBT({ threshold_img = 0.5, threshold_box = 0.5 }: IBTParameters = {}): HardExampleMiner {
  // In float64 on purpose: 1 - 0.7 is a little more than 0.3, and Sedna's decisions hang on it.
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
