import { describeValue } from "../errors.ts";
import { toNumber } from "../check/to-number.ts";

/**
 * Returns the class probabilities of one sample, or `undefined` if they cannot be judged: the input is falsy
 * or empty, or a value is outside [0,1].
 *
 * @throws {TypeError} If the input is not a list of numbers.
 */
export function probabilities(inferResult: unknown): readonly number[] | undefined {
  if (!inferResult) return undefined;
  if (!Array.isArray(inferResult) && !ArrayBuffer.isView(inferResult)) {
    throw new TypeError(
      `mine class probabilities: expected a list of numbers; got ${describeValue(inferResult)}`,
    );
  }
  const values: number[] = [];
  let inRange = true;
  for (const entry of inferResult as ArrayLike<unknown> & Iterable<unknown>) {
    const value = toNumber(entry);
    if (value === undefined)
      throw new TypeError(`mine class probabilities: expected numbers; got ${describeValue(entry)}`);
    inRange &&= value >= 0 && value <= 1;
    values.push(value);
  }
  return inRange && values.length > 0 ? values : undefined;
}
