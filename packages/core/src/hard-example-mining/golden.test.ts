import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UnknownAlgorithmError } from "../errors.ts";
import { select } from "../select.ts";
import { confidence } from "./cross-entropy.ts";
import { hardExampleMining } from "./hard-example-mining.ts";
import type { InferResult } from "./miner.ts";

interface Row {
  readonly alias: string;
  readonly params?: Record<string, unknown>;
  readonly input?: unknown;
  readonly tag?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly u?: unknown;
  readonly results?: unknown;
  readonly confidence_score?: number;
}

const read = (name: string): Row[] =>
  (
    JSON.parse(readFileSync(new URL(`../../golden/${name}.json`, import.meta.url), "utf8")) as {
      cases: Row[];
    }
  ).cases;

/** Decodes numbers, numpy arrays and tuples. */
function decode(value: unknown): unknown {
  if (value === "__NaN__") return Number.NaN;
  if (value === "__Infinity__") return Infinity;
  if (value === "__-Infinity__") return -Infinity;
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  if ("__ndarray__" in value) return numpy(decode((value as { __ndarray__: unknown }).__ndarray__));
  if ("__tuple__" in value) return decode((value as { __tuple__: unknown }).__tuple__);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, decode(entry)]));
}

const numpy = (nested: unknown): unknown =>
  Array.isArray(nested) && nested.every((entry) => typeof entry === "number")
    ? Float64Array.from(nested)
    : (nested as unknown[]).map(numpy);

/** Deliberate deviations from Sedna; docs/sedna-map.md explains them. */
const deviations: readonly {
  readonly name: string;
  is(row: Row): boolean;
  readonly sedna: boolean | "raises";
  readonly expected: boolean | (new (message: string) => Error);
}[] = [
  {
    name: "a NaN parameter is a RangeError, not a miner that never marks a sample",
    is: ({ params }) => Object.values(params ?? {}).includes("__NaN__"),
    sedna: false,
    expected: RangeError,
  },
  {
    name: "0 ln 0 is 0, so a one-hot result is certain and not hard",
    is: ({ alias, error, tag }) =>
      alias === "CrossEntropy" &&
      error === "ValueError" &&
      /one-hot|bools with 0|negative zero/.test(tag ?? ""),
    sedna: "raises",
    expected: false,
  },
  {
    name: "a single class is not hard",
    is: ({ alias, error }) => alias === "CrossEntropy" && error === "ZeroDivisionError",
    sedna: "raises",
    expected: false,
  },
  {
    name: "an object is not a list of probabilities, whatever its keys are",
    is: ({ alias, tag }) => alias === "CrossEntropy" && tag === "dict keys",
    sedna: true,
    expected: TypeError,
  },
  {
    name: "a typed array of probabilities is judged like a list",
    is: ({ alias, tag }) => alias === "CrossEntropy" && tag === "ndarray len2",
    sedna: "raises",
    expected: true,
  },
  {
    name: "rows in arrays are judged in any container (IBT)",
    is: ({ alias, tag }) => alias === "IBT" && tag === "1x6 ndarray",
    sedna: "raises",
    expected: true,
  },
  {
    name: "rows in arrays are judged in any container (Threshold)",
    is: ({ alias, tag }) => alias === "Threshold" && tag === "ndarray",
    sedna: "raises",
    expected: false,
  },
  {
    name: "a flat array is not a list of rows",
    is: ({ alias, tag }) => alias === "IBT" && tag === "1-elem ndarray falsy",
    sedna: false,
    expected: TypeError,
  },
  {
    name: "Random accepts its ratio as a string",
    is: ({ alias, params, error }) =>
      alias === "Random" && typeof params?.["random_ratio"] === "string" && error !== undefined,
    sedna: "raises",
    expected: false,
  },
];

const judge = ({ alias, params = {}, input, u }: Row): boolean => {
  const param = {
    ...(decode(params) as Record<string, unknown>),
    ...(u === undefined ? {} : { random: () => u }),
  };
  const miner = select(hardExampleMining, { method: alias as keyof typeof hardExampleMining, param });
  return (miner as (result: InferResult) => boolean)(decode(input) as InferResult);
};

describe.each(["hem_threshold", "hem_crossentropy", "hem_ibt", "hem_other"])(
  "golden vectors of %s",
  (file) => {
    const rows = read(file).map((row, i) => ({ ...row, i, name: row.tag ?? "" }));

    it.each(rows)("$i $alias $name", (row) => {
      const deviation = deviations.find((one) => one.is(row));
      if (deviation) {
        if (typeof deviation.expected === "boolean") expect(judge(row)).toBe(deviation.expected);
        else expect(() => judge(row)).toThrow(deviation.expected);
      } else if (Array.isArray(row.u)) {
        const draws = [...(row.u as number[])];
        const miner = hardExampleMining.Random({ random: () => draws.shift()! });
        expect(row.u.map(() => miner(undefined))).toEqual(row.results);
      } else if (Array.isArray(row.result)) {
        expect(Object.keys(hardExampleMining)).toEqual(expect.arrayContaining(row.result));
      } else if (row.tag === "registry lookup") {
        if (row.error) expect(() => judge(row)).toThrow(UnknownAlgorithmError);
        else expect(Object.keys(hardExampleMining)).toContain(row.alias);
      } else if (row.error) {
        expect(() => judge(row)).toThrow(TypeError);
      } else {
        expect(judge(row)).toBe(row.result);
      }
    });
  },
);

describe("deviations from Sedna", () => {
  const all = ["hem_threshold", "hem_crossentropy", "hem_ibt", "hem_other"].flatMap(read);
  it.each(deviations)("$name", (deviation) => {
    const rows = all.filter((row) => deviation.is(row));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.error === undefined ? row.result : "raises").toBe(deviation.sedna);
  });
});

it("CrossEntropy's confidence matches Sedna's to the last bits of ln", () => {
  const rows = read("hem_crossentropy").filter((row) => row.confidence_score !== undefined);
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows)
    expect(Math.abs(confidence(decode(row.input) as number[]) - row.confidence_score!)).toBeLessThanOrEqual(
      4e-16,
    );
});
