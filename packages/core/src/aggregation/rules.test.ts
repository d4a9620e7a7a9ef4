import { loadVectorKernels, type ModelUpdate } from "@sedna-js/wasm-kernels";
import { afterAll, describe, expect, it } from "vitest";
import { select } from "../select.ts";
import { tensor } from "../tensor.ts";
import type { AggClient, Aggregator } from "./aggregator.ts";
import { aggregation } from "./aggregation.ts";
import { draws, relativeError, run } from "./rule-fixture.suite.ts";

// Compares each rule, streaming on the kernels and in Sedna's batch form, with a minimal reference
// implementation.

type Vectors = readonly (readonly number[])[];
const kernels = await loadVectorKernels({ backend: "wasm" });
afterAll(() => kernels.dispose());

const columns = (rows: Vectors, reduce: (column: number[]) => number): number[] =>
  rows[0]!.map((_, i) => reduce(rows.map((row) => row[i]!)));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0);
const mean = (rows: Vectors): number[] => columns(rows, (column) => sum(column) / column.length);
const trimmed = (rows: Vectors, trim: number): number[] =>
  columns(
    rows,
    (column) =>
      sum(column.toSorted((a, b) => a - b).slice(trim, column.length - trim)) / (column.length - 2 * trim),
  );
const weighted = (rows: Vectors, weights: readonly number[]): number[] =>
  columns(rows, (column) => sum(column.map((x, i) => x * weights[i]!)) / sum(weights));
const squared = (a: readonly number[], b: readonly number[]): number =>
  sum(a.map((x, i) => (x - b[i]!) ** 2));
const norm = (a: readonly number[]): number => Math.sqrt(sum(a.map((x) => x * x)));
const scaled = (a: readonly number[], factor: number): number[] => a.map((x) => x * factor);
const clipped = (rows: Vectors, most: number): number[][] =>
  rows.map((row) => scaled(row, Math.min(1, most / norm(row))));

const krum = (rows: Vectors, { f, m }: { f: number; m: number }): number[] => {
  const score = (row: readonly number[]): number =>
    sum(
      rows
        .filter((other) => other !== row)
        .map((other) => squared(row, other))
        .toSorted((a, b) => a - b)
        .slice(0, rows.length - f - 2),
    );
  const scores = new Map(rows.map((row) => [row, score(row)]));
  return mean(rows.toSorted((a, b) => scores.get(a)! - scores.get(b)!).slice(0, m));
};
const trust = (rows: Vectors, root: readonly number[]): number[] => {
  const scores = rows.map((row) =>
    Math.max(0, sum(row.map((x, i) => x * root[i]!)) / (norm(row) * norm(root))),
  );
  return weighted(
    rows.map((row) => scaled(row, norm(root) / norm(row))),
    scores,
  );
};

const rootOf = (length: number): number[] =>
  Array.from({ length }, (_, i) => Math.fround(0.01 * ((i % 7) - 2)));
const build = (method: string, param?: object): Aggregator => select(aggregation, { method, param } as never);

/**
 * A rule as named by a job, and its reference implementation: from updates and weights to the mean update of
 * a first round.
 */
const rules: readonly {
  readonly name: string;
  readonly method: string;
  readonly param: object;
  readonly twin: (rows: Vectors, weights: readonly number[]) => number[];
}[] = [
  { name: "FedAvg", method: "FedAvg", param: {}, twin: weighted },
  {
    name: "FedAvg, clipped",
    method: "FedAvg",
    param: { clipNorm: "2" },
    twin: (rows, weights) => weighted(clipped(rows, 2), weights),
  },
  { name: "FedProx", method: "FedProx", param: {}, twin: weighted },
  {
    name: "FedBuff, no stale updates",
    method: "FedBuff",
    param: { learningRate: "0.5" },
    twin: (rows, weights) => scaled(weighted(rows, weights), 0.5),
  },
  {
    name: "FedAvgM, first round",
    method: "FedAvgM",
    param: { momentum: "0.5", learningRate: 2 },
    twin: (rows, weights) => scaled(weighted(rows, weights), 2),
  },
  {
    name: "FedAdam, first round",
    method: "FedAdam",
    param: {},
    twin: (rows, weights) =>
      weighted(rows, weights).map((x) => (0.01 * 0.1 * x) / (Math.sqrt(0.99 * 1e-6 + 0.01 * x * x) + 1e-3)),
  },
  {
    name: "FedAdam with bias correction, first round",
    method: "FedAdam",
    param: { biasCorrection: "true", tau: "0.01" },
    twin: (rows, weights) => weighted(rows, weights).map((x) => (0.01 * x) / (Math.abs(x) + 0.01)),
  },
  {
    name: "TrimmedMean by fraction",
    method: "TrimmedMean",
    param: { trim: "0.2" },
    twin: (rows) => trimmed(rows, Math.floor(rows.length / 5)),
  },
  {
    name: "TrimmedMean by count",
    method: "TrimmedMean",
    param: { trim: 2 },
    twin: (rows) => trimmed(rows, 2),
  },
  {
    name: "Median",
    method: "Median",
    param: {},
    twin: (rows) => trimmed(rows, Math.ceil(rows.length / 2) - 1),
  },
  {
    name: "MultiKrum",
    method: "MultiKrum",
    param: { f: "2" },
    twin: (rows) => krum(rows, { f: 2, m: rows.length - 4 }),
  },
  { name: "Krum", method: "MultiKrum", param: { f: 1, m: "1" }, twin: (rows) => krum(rows, { f: 1, m: 1 }) },
  {
    name: "NormClipping",
    method: "NormClipping",
    param: { clipNorm: 2 },
    twin: (rows, weights) => weighted(clipped(rows, 2), weights),
  },
  {
    name: "NormClipping with Median",
    method: "NormClipping",
    param: { clipNorm: "2", rule: { method: "Median" } },
    twin: (rows) => trimmed(clipped(rows, 2), Math.ceil(rows.length / 2) - 1),
  },
  {
    name: "FLTrust",
    method: "FLTrust",
    param: { rootUpdate: (base: Float32Array) => Float32Array.from(rootOf(base.length)) },
    twin: (rows) => trust(rows, rootOf(rows[0]!.length)),
  },
];

/** Creates updates of different norms around a common direction, as float32 numbers. */
function cohort({ clients, length, seed }: { clients: number; length: number; seed: number }): {
  rows: number[][];
  weights: number[];
  base: Float32Array;
} {
  const next = draws(seed);
  const rows = Array.from({ length: clients }, (_, c) =>
    Array.from({ length }, (_, i) => Math.fround((0.2 * ((i % 7) - 2) + next() - 0.5) * (1 + (c % 5)))),
  );
  return {
    rows,
    weights: rows.map(() => 1 + Math.floor(1000 * next())),
    base: Float32Array.from({ length }, () => next() - 0.5),
  };
}
const dense = (row: readonly number[]): ModelUpdate => ({ encoding: "f32", values: Float32Array.from(row) });

describe.each(rules)("$name", ({ method, param, twin }) => {
  const rule = (more: object = {}): Aggregator => build(method, { ...param, ...more });
  const minClients = rule().minClients;

  it.each([
    [minClients, 1],
    [minClients + 1, 3],
    [10, 64],
    [13, 1003],
    // More than one block of columns.
    [50, 6001],
  ])("matches its reference implementation on %i updates of %i numbers", (clients, length) => {
    // With a single number, FLTrust's cosine is -1 or 1, which is a valid case.
    const { rows, weights, base } = cohort({ clients, length, seed: clients * 31 + length });
    const change = twin(rows, weights);
    if (change.some(Number.isNaN))
      return void expect(() => run(rule(), { kernels, base, updates: rows.map(dense), weights })).toThrow(
        "root",
      );
    const { model } = run(rule(), { kernels, base, updates: rows.map(dense), weights });
    expect(
      relativeError(
        model,
        base.map((x, i) => x + change[i]!),
      ),
    ).toBeLessThan(3e-7);
  });

  it("accepts all encodings in one round", () => {
    const length = 40;
    const updates: ModelUpdate[] = Array.from({ length: 12 }, (_, i): ModelUpdate => {
      if (i % 4 === 0) return dense(Array.from({ length }, (_, j) => (j % 7) / 8 - 0.25 + i / 64));
      // Half-precision 1, 1.25 and -0.5.
      if (i % 4 === 1)
        return {
          encoding: "f16",
          values: Uint16Array.from({ length }, (_, j) => [0x3c00, 0x3d00, 0xb800][(i + j) % 3]!),
        };
      if (i % 4 === 2)
        return {
          encoding: "int8",
          values: Int8Array.from({ length }, (_, j) => j * 3 - 60 + i),
          scale: 0.0078125,
        };
      return {
        encoding: "topk",
        indices: Uint32Array.of(1, 5 + i, 39),
        values: Float32Array.of(1, -0.5, 0.25),
      };
    });
    const rows = updates.map((update, i): number[] => {
      if (update.encoding === "f32") return [...update.values];
      if (update.encoding === "f16") return Array.from({ length }, (_, j) => [1, 1.25, -0.5][(i + j) % 3]!);
      if (update.encoding === "int8") return Array.from(update.values, (x) => x * 0.0078125);
      return Array.from({ length }, (_, j) => ({ [1]: 1, [5 + i]: -0.5, [39]: 0.25 })[j] ?? 0);
    });
    const weights = rows.map((_, i) => 1 + i);
    const base = new Float32Array(length).fill(0.5);
    expect(
      relativeError(
        run(rule(), { kernels, base, updates, weights }).model,
        twin(rows, weights).map((x) => 0.5 + x),
      ),
    ).toBeLessThan(3e-7);
  });

  it("gives the same result in Sedna's batch form on whole weights", () => {
    const { rows, weights, base } = cohort({ clients: 13, length: 24, seed: 5 });
    const initial = [
      tensor("float64", [2, 3], Float64Array.from(base.subarray(0, 6))),
      tensor("float64", [18], Float64Array.from(base.subarray(6))),
    ];
    const clients = rows.map((row, c): AggClient => {
      const whole = row.map((x, i) => base[i]! + x);
      return {
        numSamples: weights[c]!,
        weights: [
          tensor("float64", [2, 3], Float64Array.from(whole.slice(0, 6))),
          tensor("float64", [18], Float64Array.from(whole.slice(6))),
        ],
      };
    });
    const model = rule({ initial }).aggregate(clients)!;
    expect(model.map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ["float64", [2, 3]],
      ["float64", [18]],
    ]);
    const flat = model.flatMap(({ data }) => [...(data as Float64Array)]);
    expect(
      relativeError(
        flat,
        twin(rows, weights).map((x, i) => base[i]! + x),
      ),
    ).toBeLessThan(1e-12);
  });

  it("does not modify the updates or the base", () => {
    const { rows, weights, base } = cohort({ clients: 9, length: 33, seed: 3 });
    const updates = rows.map(dense);
    const before = base.slice();
    run(rule(), { kernels, base, updates, weights });
    expect(updates).toEqual(rows.map(dense));
    expect(base).toEqual(before);
  });
});
