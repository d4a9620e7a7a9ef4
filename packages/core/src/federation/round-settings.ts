import { describeValue } from "../errors.ts";
import { select, type Selection } from "../select.ts";
import { clientSelection, type ClientSelectionTable } from "./client-selection.ts";
import type { RoundSettings } from "./federation-state.ts";

/** Longest timer that all engines support, in ms. */
const MAX_MS = 2 ** 31 - 1;

/** Tolerance that keeps 0.07 * 100 from rounding up to 8, and 1.15 * 100 from rounding down to 114. */
const ROUNDING = 1e-9;

/**
 * Fills in the defaults and checks every value, so that every round ends. Returns plain data that it accepts
 * again.
 *
 * @param partial Settings that differ from the defaults; `numRounds: Infinity` becomes 0, which means no
 * limit.
 * @throws {TypeError} If a value has the wrong type.
 * @throws {RangeError} If a value is out of range.
 * @throws {UnknownAlgorithmError} If the selector is not in the table.
 */
export function roundSettings(
  partial: Partial<RoundSettings> = {},
  table: ClientSelectionTable = clientSelection,
): RoundSettings {
  if (typeof partial !== "object" || partial === null)
    throw new TypeError(`set the rounds: expected an object; got ${describeValue(partial)}`);
  const {
    numRounds = 1,
    participants = 1,
    overSelect = 1.3,
    minFraction = 0.7,
    selectionMs = 10_000,
    deadlineMs = 120_000,
    selector = { method: "Random" },
    lateJoiners = true,
    buffered,
    strikes = 3,
    quarantineRounds = 10,
  } = partial;
  if (numRounds !== Infinity) whole("numRounds", { value: numRounds, least: 0 });
  whole("participants", { value: participants, least: 1 });
  number("overSelect", { value: overSelect, least: 1, most: 100 });
  number("minFraction", { value: minFraction, least: 0, most: 1 });
  if (minFraction === 0) throw new RangeError("set minFraction: expected a number above 0; got 0");
  number("selectionMs", { value: selectionMs, least: 0, most: MAX_MS });
  number("deadlineMs", { value: deadlineMs, least: 1, most: MAX_MS });
  if (typeof lateJoiners !== "boolean")
    throw new TypeError(`set lateJoiners: expected true or false; got ${describeValue(lateJoiners)}`);
  whole("strikes", { value: strikes, least: 1 });
  whole("quarantineRounds", { value: quarantineRounds, least: 1 });
  if (typeof selector !== "object" || selector === null)
    throw new TypeError(`set selector: expected { method, param }; got ${describeValue(selector)}`);
  // Build the selector only to check it: each selector checks its own parameters.
  select(table, selector as Selection<string, never>);
  const mode = buffered === undefined ? {} : { buffered: checkBuffered(buffered) };
  return {
    numRounds: numRounds === Infinity ? 0 : numRounds,
    participants,
    overSelect,
    minFraction,
    selectionMs,
    deadlineMs,
    selector,
    lateJoiners,
    ...mode,
    strikes,
    quarantineRounds,
  };
}

/** Numbers of updates and clients of a round. */
export interface RoundTargets {
  /** Number of updates that close the round before its deadline. */
  readonly goal: number;
  /** Number of updates that the round needs at its deadline. */
  readonly minimum: number;
  /** Number of clients to select. */
  readonly selection: number;
}

/**
 * Returns the {@link RoundTargets} of some settings. Over-selection is rounded down, so that two clients form
 * a federation of two at once.
 */
export function roundTargets({
  participants,
  overSelect,
  minFraction,
  buffered,
}: RoundSettings): RoundTargets {
  const goal = buffered?.bufferSize ?? participants;
  return {
    goal,
    minimum: Math.max(1, Math.ceil(goal * minFraction - ROUNDING)),
    selection: buffered?.concurrency ?? Math.floor(participants * overSelect + ROUNDING),
  };
}

function checkBuffered(
  given: NonNullable<RoundSettings["buffered"]>,
): NonNullable<RoundSettings["buffered"]> {
  if (typeof given !== "object" || given === null)
    throw new TypeError(`set buffered: expected an object; got ${describeValue(given)}`);
  const { bufferSize, maxStaleness, concurrency } = given;
  whole("buffered.bufferSize", { value: bufferSize, least: 1 });
  whole("buffered.maxStaleness", { value: maxStaleness, least: 0 });
  whole("buffered.concurrency", { value: concurrency, least: 1 });
  return { bufferSize, maxStaleness, concurrency };
}

/** Options of {@link number}. */
interface NumberOptions {
  readonly value: unknown;
  readonly least: number;
  readonly most: number;
}

function number(name: string, { value, least, most }: NumberOptions): void {
  if (typeof value !== "number")
    throw new TypeError(`set ${name}: expected a number; got ${describeValue(value)}`);
  if (!(value >= least && value <= most))
    throw new RangeError(`set ${name}: expected a number from ${least} to ${most}; got ${value}`);
}

function whole(name: string, { value, least }: { readonly value: unknown; readonly least: number }): void {
  if (typeof value !== "number")
    throw new TypeError(`set ${name}: expected a whole number; got ${describeValue(value)}`);
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`set ${name}: expected a whole number from ${least} up; got ${value}`);
}
