import { describeValue } from "../../errors.ts";

/**
 * Checks the weight of an update.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not finite and above 0.
 */
export function checkWeight(weight: unknown): void {
  if (typeof weight !== "number")
    throw new TypeError(`add an update: expected its weight as a number; got ${describeValue(weight)}`);
  if (!(weight > 0 && weight < Infinity))
    throw new RangeError(`add an update: expected a finite weight above 0; got ${weight}`);
}
