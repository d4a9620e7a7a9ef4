import { describeValue } from "../errors.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type HardExampleMiner } from "./miner.ts";
import { numberParameter, parameterized } from "../check/parameters.ts";

const parameters = {
  /** Mean score of the boxes below which an image is hard. */
  threshold: numberParameter({ fallback: 0.5 }),
};

/**
 * Marks an image as hard if the mean score of its boxes is below `threshold`. An image without boxes is not
 * hard. Scores are not range-checked, as in Sedna.
 *
 * Source: `ThresholdFilter` in Sedna's `algorithms/hard_example_mining`.
 *
 * @throws {TypeError} If a row or a score is not a number.
 */
export const Threshold = parameterized(parameters, ({ threshold }): HardExampleMiner => {
  return (inferResult) => {
    const rows = detectionRows(inferResult);
    if (rows.length === 0) return false;
    let sum = 0;
    for (const row of rows) {
      const score: unknown = row[SCORE];
      if (typeof score !== "number" && typeof score !== "boolean") {
        throw new TypeError(`mine with Threshold: expected a number as score; got ${describeValue(score)}`);
      }
      sum += Number(score);
    }
    return sum / rows.length < threshold;
  };
});
