import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SednaError, UnknownAlgorithmError } from "../errors.ts";
import { select } from "../select.ts";
import { elementCount, fromNested, tensor, toNested, type Tensor } from "../tensor.ts";
import type { AggClient, Aggregator } from "./aggregator.ts";
import { FedAvg } from "./rules/fed-avg.ts";
import { aggregation } from "./aggregation.ts";

// Runs Sedna's own FedAvg cases. The deviations from Sedna are named and asserted below.

interface Row {
  readonly tag: string;
  readonly class?: string;
  readonly clients?: readonly { readonly num_samples: number; readonly weights: readonly unknown[] }[];
  readonly result?: unknown;
  readonly error?: string;
}

// The kernel tests read the same file.
const rows = (
  JSON.parse(readFileSync(new URL("../../../wasm-kernels/golden/fedavg.json", import.meta.url), "utf8")) as {
    cases: Row[];
  }
).cases;
const cases = rows.filter(({ clients }) => clients !== undefined);

/** Decodes the numbers that JSON cannot represent. */
function numbers(value: unknown): unknown {
  if (value === "__NaN__") return Number.NaN;
  if (value === "__Infinity__") return Infinity;
  if (value === "__-Infinity__") return -Infinity;
  return Array.isArray(value) ? value.map(numbers) : value;
}

/** Returns a layer as Sedna holds it: a list is float64, an array keeps its dtype. */
function layer(value: unknown): Tensor {
  if (typeof value !== "object" || value === null || !("__ndarray__" in value))
    return fromNested(numbers(value), "float64");
  const {
    __ndarray__: nested,
    dtype,
    shape,
  } = value as { __ndarray__: unknown; dtype: "float32" | "float64"; shape: readonly number[] };
  const read = fromNested(numbers(nested), dtype);
  return tensor(dtype, shape, read.data);
}

const clientsOf = ({ clients = [] }: Row): AggClient[] =>
  clients.map(({ num_samples, weights }) => ({ numSamples: num_samples, weights: weights.map(layer) }));

/** Deliberate deviations from Sedna; docs/sedna-map.md explains them. */
const deviations: readonly {
  readonly name: string;
  readonly tag: string;
  readonly sedna: unknown;
  readonly expected: new (message: string) => Error;
}[] = [
  {
    name: "a total of zero samples is an error, not NaN",
    tag: "single zero-sample client",
    sedna: [["__NaN__", "__NaN__", "__NaN__"]],
    expected: RangeError,
  },
  {
    name: "a negative number of samples is an error",
    tag: "negative samples",
    sedna: [[-1]],
    expected: RangeError,
  },
  {
    name: "a client's layer is not broadcast into the first one's",
    tag: "second broadcasts into first",
    sedna: [[1, 1.5]],
    expected: TypeError,
  },
  {
    name: "a client with surplus layers is an error",
    tag: "second client has more layers (extra ignored)",
    sedna: [[2]],
    expected: TypeError,
  },
];

const stateful = FedAvg();
const ruleFor = ({ tag }: Row): Aggregator =>
  tag.startsWith("stateful") ? stateful : select(aggregation, { method: "FedAvg" });

describe("golden vectors of FedAvg", () => {
  it.each(cases)("$tag", (row) => {
    const deviation = deviations.find(({ tag }) => tag === row.tag);
    if (deviation !== undefined) {
      expect(row.result).toEqual(deviation.sedna);
      expect(() => ruleFor(row).aggregate(clientsOf(row))).toThrow(deviation.expected);
    } else if (row.error !== undefined) {
      expect(() => ruleFor(row).aggregate(clientsOf(row))).toThrow(TypeError);
    } else {
      const result = ruleFor(row).aggregate(clientsOf(row));
      // toEqual compares numbers by Object.is: NaN equals NaN, and -0 differs from 0.
      expect(result?.map(toNested) ?? null).toEqual(numbers(row.result));
      for (const { dtype } of result ?? []) expect(dtype).toBe("float64");
    }
  });

  it("include all 33 cases, with arrays and lists", () => {
    expect(cases).toHaveLength(33);
    const kinds = new Set(
      cases.flatMap(({ clients = [] }) =>
        clients.flatMap(({ weights }) =>
          weights.map((one) => (one as { dtype?: string } | null)?.dtype ?? "list"),
        ),
      ),
    );
    expect([...kinds].toSorted()).toEqual(["float64", "list"]);
    expect(deviations.every(({ tag }) => cases.some((row) => row.tag === tag))).toBe(true);
  });

  it("describe Plato's classes under Sedna's names FedAvgV2 and MistNet, which are not rules", () => {
    const others = rows.filter(
      (row) =>
        row.class !== undefined ||
        (Array.isArray((row as { result?: unknown }).result) && row.clients === undefined),
    );
    expect(others.map(({ tag }) => tag)).toEqual([
      "descriptor only",
      "descriptor only",
      "descriptor only",
      "registered FL_AGG names",
    ]);
    for (const method of ["FedAvgV2", "MistNet"])
      expect(() => select(aggregation, { method: method as never })).toThrow(UnknownAlgorithmError);
  });
});

describe("FedAvg in Sedna's batch form", () => {
  const client = (numSamples: number, ...values: number[]): AggClient => ({
    numSamples,
    weights: [tensor("float32", [values.length], Float32Array.from(values))],
  });

  it("returns results that the caller may modify", () => {
    const rule = FedAvg();
    (rule.aggregate([client(1, 1, 2)])![0]!.data as Float64Array).fill(9);
    const again = rule.aggregate([])!;
    expect(toNested(again[0]!)).toEqual([1, 2]);
    (again[0]!.data as Float64Array).fill(9);
    expect(toNested(rule.aggregate([])![0]!)).toEqual([1, 2]);
  });

  it("keeps the last result if a round is rejected", () => {
    const rule = FedAvg();
    rule.aggregate([client(1, 1, 2)]);
    expect(() => rule.aggregate([client(1, 1, 2), client(1, 1)])).toThrow(TypeError);
    expect(() => rule.aggregate([client(Number.NaN, 1, 2)])).toThrow(RangeError);
    expect(() => rule.aggregate([client("5" as never, 1, 2)])).toThrow(TypeError);
    expect(() => rule.aggregate([{ numSamples: 1, weights: "no" as never }])).toThrow(TypeError);
    expect(toNested(rule.aggregate([])![0]!)).toEqual([1, 2]);
  });

  it("accepts int64 layers, which hold BigInts", () => {
    const layers = (value: bigint): Tensor[] => [tensor("int64", [1], BigInt64Array.of(value))];
    expect(
      toNested(
        FedAvg().aggregate([
          { numSamples: 1, weights: layers(3n) },
          { numSamples: 1, weights: layers(4n) },
        ])![0]!,
      ),
    ).toEqual([3.5]);
    expect(elementCount([])).toBe(1);
  });

  it("clips updates relative to its last result, and requires an initial model", () => {
    expect(() => FedAvg({ clipNorm: 5 }).aggregate([client(1, 30, 40)])).toThrow(TypeError);
    const rule = FedAvg({ clipNorm: "5", initial: [tensor("float32", [2], new Float32Array(2))] });
    expect(toNested(rule.aggregate([client(1, 30, 40)])![0]!)).toEqual([3, 4]);
    expect(toNested(rule.aggregate([client(1, 3, 40), client(1, Number.NaN, 0)])![0]!)).toEqual([3, 9]);
    expect(() => rule.aggregate([client(1, Infinity, 40)])).toThrow(SednaError);
  });
});
