import { describeValue } from "../errors.ts";
import { toNumber } from "./to-number.ts";

// The parameters of an algorithm are declared once, as data: the algorithm reads its parameters with the
// declaration, and the command line's help, the check of a job, and docs/parameters.md are made from it. The
// meaning of a parameter is the doc comment above it, which docs/parameters.md repeats.

/** One parameter of an algorithm. `Given` is what a program may pass, `Value` what the algorithm gets. */
export interface Parameter<Given = never, Value = unknown> {
  /** The accepted values, as in "a number above 0". */
  readonly expected: string;
  /** Value of an absent parameter, as the documentation shows it. */
  readonly fallback: string | undefined;
  readonly required: boolean;
  /** Whether the value can be written as text. A function or a tensor can only come from a program. */
  readonly isText: boolean;
  /**
   * @throws {TypeError} If the value is of another kind.
   * @throws {RangeError} If the value is out of its range.
   */
  readonly read: (name: string, given: Given | undefined) => Value;
}

/** The parameters of an algorithm, by name. */
export type ParameterTable = Readonly<Record<string, Parameter>>;

type GivenOf<Declared> = Declared extends Parameter<infer Given, unknown> ? Given : never;
type RequiredNames<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly required: true } ? Name : never;
}[keyof Table];

/** What a program passes to an algorithm with these parameters. */
export type GivenParameters<Table> = {
  readonly [Name in keyof Table as Name extends RequiredNames<Table> ? Name : never]: GivenOf<Table[Name]>;
} & {
  readonly [Name in keyof Table as Name extends RequiredNames<Table> ? never : Name]?:
    | GivenOf<Table[Name]>
    | undefined;
};

/** What the algorithm gets. */
export type ParameterValues<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Parameter<never, infer Value> ? Value : never;
};

/** An algorithm that is created from declared parameters. */
export type Parameterized<Table extends ParameterTable, Algorithm> = (RequiredNames<Table> extends never
  ? (given?: GivenParameters<Table>) => Algorithm
  : (given: GivenParameters<Table>) => Algorithm) & { readonly parameters: Table };

/**
 * Declares an algorithm by its parameters and the function that creates it from their checked values.
 *
 * @example
 * ```ts
 * import { numberParameter, parameterized } from "@sedna-js/core/check";
 *
 * const parameters = { limit: numberParameter({ fallback: 0.5 }) };
 * const Lowest = parameterized(parameters, ({ limit }) => (score: number) => score < limit);
 * console.log(Lowest({ limit: "0.7" })(0.6), Lowest()(0.6)); // => true false
 * ```
 */
export function parameterized<Table extends ParameterTable, Algorithm>(
  parameters: Table,
  create: (values: ParameterValues<Table>) => Algorithm,
): Parameterized<Table, Algorithm> {
  const build = (given: Readonly<Record<string, unknown>> = {}): Algorithm =>
    create(
      Object.fromEntries(
        Object.entries(parameters).map(([name, { read }]) => [
          name,
          read(name, (Object.hasOwn(given, name) ? given[name] : undefined) as never),
        ]),
      ) as ParameterValues<Table>,
    );
  return Object.assign(build, { parameters }) as unknown as Parameterized<Table, Algorithm>;
}

/** A number, or a string that spells a number, as in Sedna's jobs. */
export type NumberOrText = number | string;

/** The values that a number parameter accepts. Without limits: every number except NaN. */
export interface NumberLimits {
  readonly min?: number;
  readonly max?: number;
  /** Accept only numbers greater than this. */
  readonly above?: number;
  /** Accept only numbers less than this. `Infinity`: finite numbers. */
  readonly below?: number;
  readonly whole?: boolean;
}

/** Declares a number with a default. */
export function numberParameter(
  limits: NumberLimits & { readonly fallback: number },
): Parameter<NumberOrText, number> & { readonly required: false } {
  const { fallback } = limits;
  return {
    ...numberFields(limits),
    fallback: String(fallback),
    required: false,
    read: (name, given = fallback) => readNumber(name, given, limits),
  };
}

/** Declares a number that must be given. */
export function requiredNumber(
  limits: NumberLimits = {},
): Parameter<NumberOrText, number> & { readonly required: true } {
  return {
    ...numberFields(limits),
    required: true,
    read: (name, given) => readNumber(name, given, limits),
  };
}

/** Declares a number that may be absent. `absent` describes what the algorithm then does. */
export function optionalNumber({ absent, ...limits }: NumberLimits & { readonly absent?: string }): Parameter<
  NumberOrText,
  number | undefined
> & {
  readonly required: false;
} {
  return {
    ...numberFields(limits),
    fallback: absent,
    required: false,
    read: (name, given) => (given === undefined ? undefined : readNumber(name, given, limits)),
  };
}

/** Declares true or false. */
export function flagParameter(
  fallback: boolean,
): Parameter<boolean | "true" | "false", boolean> & { readonly required: false } {
  const expected = "true or false";
  return {
    expected,
    fallback: String(fallback),
    required: false,
    isText: true,
    read(name, given = fallback) {
      if (given === true || given === "true") return true;
      if (given === false || given === "false") return false;
      throw new TypeError(`read ${name}: expected ${expected}; got ${describeValue(given)}`);
    },
  };
}

/** Declares one of several words; the first is the default. */
export function choiceParameter<const Choice extends string>(
  choices: readonly [Choice, ...Choice[]],
): Parameter<Choice, Choice> & { readonly required: false } {
  const expected = choices.map((choice) => `"${choice}"`).join(" or ");
  return {
    expected,
    fallback: choices[0],
    required: false,
    isText: true,
    read(name, given = choices[0]) {
      if (choices.includes(given)) return given;
      throw new TypeError(`read ${name}: expected ${expected}; got ${describeValue(given)}`);
    },
  };
}

/** Declares a value that only a program can pass, such as a function. It reaches the algorithm as it is. */
export function programParameter<Value>({ fallback }: { readonly fallback?: string } = {}): Parameter<
  Value,
  Value | undefined
> & { readonly required: false } {
  return {
    expected: "a value from a program",
    fallback,
    required: false,
    isText: false,
    read: (_, given) => given,
  };
}

/**
 * Returns the first name that the algorithm does not declare. An algorithm ignores it, as Sedna's do; a job
 * and a command line reject it, because a misspelled `clipNorm` would mean no clipping.
 */
export function unknownParameter(
  parameters: ParameterTable,
  given: Readonly<Record<string, unknown>>,
): string | undefined {
  return Object.keys(given).find((name) => !textParameters(parameters).includes(name));
}

/** Returns the names of the parameters that a job or a command line can set. */
export function textParameters(parameters: ParameterTable): readonly string[] {
  return Object.keys(parameters).filter((name) => parameters[name]!.isText);
}

/**
 * Reads a number within limits.
 *
 * @throws {TypeError} If the value is neither a number nor a string that spells a number.
 * @throws {RangeError} If the number is NaN, which as a threshold would silently disable a miner, or is
 * outside its limits.
 */
function readNumber(name: string, value: unknown, limits: NumberLimits): number {
  const number = toNumber(value);
  if (number === undefined)
    throw new TypeError(`read ${name}: expected a number or a numeric string; got ${describeValue(value)}`);
  const { min = -Infinity, max = Infinity, above, below, whole = false } = limits;
  const holds =
    number >= min &&
    number <= max &&
    (above === undefined || number > above) &&
    (below === undefined || number < below) &&
    (!whole || Number.isSafeInteger(number));
  if (!holds) throw new RangeError(`read ${name}: expected ${numberText(limits)}; got ${number}`);
  return number;
}

function numberFields(limits: NumberLimits) {
  return { expected: numberText(limits), fallback: undefined, isText: true } as const;
}

/** Returns the accepted numbers in words, as in "a whole number from 1 up". */
function numberText({ min, max, above, below, whole = false }: NumberLimits): string {
  const kind = whole ? "a whole number" : below === Infinity ? "a finite number" : "a number";
  const bound = below === Infinity ? undefined : below;
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  const limits = [
    min !== undefined && ` from ${min}${bound === undefined ? " up" : ""}`,
    above !== undefined && ` above ${above}`,
    max !== undefined && ` up to ${max}`,
    bound !== undefined && ` below ${bound}`,
  ];
  return kind + limits.filter(Boolean).join(",");
}
