import { numberParameter } from "../../check/number-parameter.ts";

/** A number as a job may write it. */
export type RuleNumber = number | string;

/** What a parameter's value must be. */
export interface RuleNumberCheck {
  readonly value: unknown;
  readonly holds: (value: number) => boolean;
  /** What `holds` asks, for the message: "above 0". */
  readonly expected: string;
}

/**
 * A parameter of a rule as a number that holds what it must.
 * @throws {TypeError} when it is neither a number nor a string that spells one.
 * @throws {RangeError} when it is NaN or does not hold.
 */
export function ruleNumber(name: string, { value, holds, expected }: RuleNumberCheck): number {
  const number = numberParameter(name, value);
  if (!holds(number)) throw new RangeError(`read ${name}: expected a number ${expected}; got ${number}`);
  return number;
}

/**
 * A length to clip to: above 0, at most 1e30, so that sums of thousands of clipped updates stay within
 * float32.
 */
export function clipLength(value: unknown): number {
  return ruleNumber("clipNorm", {
    value,
    holds: (length) => length > 0 && length <= 1e30,
    expected: "above 0, at most 1e30",
  });
}

/** A count of clients. */
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

/** A number in 0..1, 1 excluded. */
export function decayRate(name: string, value: unknown): number {
  return ruleNumber(name, { value, holds: (rate) => rate >= 0 && rate < 1, expected: "in 0..1, 1 excluded" });
}

/** A finite number above 0. */
export function positive(name: string, value: unknown): number {
  return ruleNumber(name, {
    value,
    holds: (number) => number > 0 && number < Infinity,
    expected: "above 0 and finite",
  });
}
