import { describeValue } from "../errors.ts";
import { detectionRows } from "./detection-rows.ts";
import { SCORE, type HardExampleMiner } from "./miner.ts";
import { numberParameter } from "../check/number-parameter.ts";

/** Parameters of {@link Threshold}. */
export interface ThresholdParameters {
  readonly threshold?: number | string;
}

/**
 * Hard when the mean score of the boxes is below `threshold`. No boxes: not hard. Scores are not
 * range-checked, as in Sedna.
 *
 * @throws {TypeError} on a row or score that is no number.
 * Source: `ThresholdFilter` in Sedna's `algorithms/hard_example_mining`.
 */
export function Threshold({ threshold = 0.5 }: ThresholdParameters = {}): HardExampleMiner {
  const limit = numberParameter("threshold", threshold);

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
    return sum / rows.length < limit;
  };
}
