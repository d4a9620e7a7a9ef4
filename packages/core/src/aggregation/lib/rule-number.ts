import { numberParameter } from "../../check/number-parameter.ts";

/** A number or a string that spells a number, as in a job. */
export type RuleNumber = number | string;

/** A parameter's value and the condition that it must meet. */
export interface RuleNumberCheck {
  readonly value: unknown;
  readonly holds: (value: number) => boolean;
  /** Description of `holds` for the error message, such as "above 0". */
  readonly expected: string;
}

/**
 * Returns a rule's parameter as a number that meets its condition.
 * @throws {TypeError} If the value is neither a number nor a string that spells a number.
 * @throws {RangeError} If the number is NaN or does not meet the condition.
 */
export function ruleNumber(name: string, { value, holds, expected }: RuleNumberCheck): number {
  const number = numberParameter(name, value);
  if (!holds(number)) throw new RangeError(`read ${name}: expected a number ${expected}; got ${number}`);
  return number;
}

/**
 * Returns a norm to clip to: above 0 and at most 1e30, so that sums of thousands of clipped updates stay
 * within float32.
 */
export function clipLength(value: unknown): number {
  return ruleNumber("clipNorm", {
    value,
    holds: (length) => length > 0 && length <= 1e30,
    expected: "above 0 and at most 1e30",
  });
}

/** Returns a number of clients: a whole number of at least `least`. */
export function clientCount(
  name: string,
  { value, least }: { readonly value: unknown; readonly least: number },
): number {
  return ruleNumber(name, {
    value,
    holds: (count) => Number.isSafeInteger(count) && count >= least,
    expected: `that is whole and at least ${least}`,
  });
}

/** Returns a number of at least 0 and below 1. */
export function decayRate(name: string, value: unknown): number {
  return ruleNumber(name, { value, holds: (rate) => rate >= 0 && rate < 1, expected: "in 0..1, 1 excluded" });
}

/** Returns a finite number above 0. */
export function positive(name: string, value: unknown): number {
  return ruleNumber(name, {
    value,
    holds: (number) => number > 0 && number < Infinity,
    expected: "above 0 and finite",
  });
}
