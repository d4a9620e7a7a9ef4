import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { loadVectorKernels } from "./vectors/load-vector-kernels.ts";
import { referenceVectorKernels } from "./vectors/reference/reference-vector-kernels.ts";
import type { VectorKernels } from "./vectors/vector-kernels.ts";

// Sedna's own arithmetic on Sedna's own cases. These kernels take f32 and reject some input that Sedna
// accepts; see the last tests.

interface Case {
  readonly fn?: string;
  readonly tag: string;
  readonly clients?: readonly { readonly num_samples: unknown; readonly weights: unknown }[];
  readonly query?: unknown;
  readonly candidates?: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

const read = (name: string): readonly Case[] =>
  (JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8")) as { cases: Case[] })
    .cases;

/** Returns all numbers in an encoded value, in order; NaN for a value that is not a number. */
function flat(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(flat);
  if (typeof value === "object" && value !== null)
    return flat(Object.entries(value).find(([key]) => key.startsWith("__"))?.[1]);
  return [typeof value === "number" ? value : Number.NaN];
}

const wasm = await loadVectorKernels({ backend: "wasm" });
afterAll(() => wasm.dispose());
const backends: readonly (readonly [string, VectorKernels])[] = [
  ["wasm", wasm],
  ["reference", referenceVectorKernels()],
];

describe.each(backends)("Sedna's golden vectors on the %s kernels", (_, kernels) => {
  const rounds = read("fedavg").flatMap(({ tag, clients = [], result }) => {
    const updates = clients.map(({ num_samples, weights }) => ({
      weight: num_samples as number,
      values: Float32Array.from(flat(weights)),
    }));
    const expected = flat(result);
    const usual =
      updates.length > 0 &&
      updates.every(
        ({ weight, values }) =>
          weight > 0 &&
          values.length === expected.length &&
          values.length > 0 &&
          values.every(Number.isFinite),
      );
    return usual && expected.every(Number.isFinite) ? [{ tag, updates, expected }] : [];
  });

  it("include at least 16 rounds", () => {
    expect(rounds.length).toBeGreaterThanOrEqual(16);
  });

  it.each(rounds)("FedAvg: $tag", ({ updates, expected }) => {
    const largest = Math.max(...updates.flatMap(({ values }) => [...values].map(Math.abs)), 1e-30);
    const close = (got: Float32Array) =>
      got.forEach((value, i) => expect(Math.abs(value - expected[i]!) / largest).toBeLessThan(4e-7));
    for (const accumulator of ["f32", "f64"] as const) {
      using mean = kernels.weightedMean({ length: expected.length, accumulator });
      for (const { weight, values } of updates) mean.add({ encoding: "f32", values }, { weight });
      close(mean.result());
    }
    using bucket = kernels.updateBucket({ length: expected.length, capacity: updates.length });
    for (const { weight, values } of updates) bucket.add({ encoding: "f32", values }, { weight });
    close(bucket.mean());
  });

  it("FedAvg: rejects input that Sedna averages to NaN or with a negative weight", () => {
    using mean = kernels.weightedMean({ length: 2 });
    const add =
      (weight: number, ...values: number[]) =>
      () =>
        mean.add({ encoding: "f32", values: Float32Array.from(values) }, { weight });
    expect(() => mean.result()).toThrow(RangeError); // no clients: Sedna returns None
    expect(add(0, 5, 5)).toThrow(RangeError); // all weights 0: NaN in Sedna
    expect(add(-1, 5, 5)).toThrow(RangeError);
    expect(add(1, Number.NaN, 1)).toThrow(RangeError);
    expect(add(1, 1e308, 1)).toThrow(RangeError); // not an f32
    expect(add(1, 1)).toThrow(RangeError); // Sedna broadcasts it
    expect(mean.count).toBe(0);
  });

  const matrix = (value: unknown): { readonly rows: number; readonly values: Float32Array } | undefined => {
    const shape = (value as { shape?: readonly number[] } | null)?.shape;
    const values = Float32Array.from(flat(value));
    return shape?.length === 2 && values.length > 0 && values.every(Number.isFinite)
      ? { rows: shape[0]!, values }
      : undefined;
  };
  const norm = (row: Float32Array): number => Math.hypot(...row);
  const matches = read("reid_matching").flatMap(({ fn, tag, query, candidates, result }) => {
    const [q, c] = [matrix(query), matrix(candidates)];
    if (fn !== "cosine_similarity_score" || !q || !c || result === undefined) return [];
    const dimensions = q.values.length / q.rows;
    const row = (of: { values: Float32Array }, i: number) =>
      of.values.subarray(i * dimensions, (i + 1) * dimensions);
    const directed = [q, c].every((of) =>
      Array.from({ length: of.rows }, (_, i) => norm(row(of, i))).every((length) => length > 0),
    );
    return directed ? [{ tag, q, c, dimensions, row, expected: flat(result) }] : [];
  });

  it.each(matches)(
    "cosine_similarity_score: $tag, after normalization",
    ({ q, c, dimensions, row, expected }) => {
      using gallery = kernels.gallery({ dimensions });
      gallery.set(
        Array.from({ length: c.rows }, (_, i) => i),
        c.values,
      );
      gallery.match({ queries: q.values, k: c.rows }).forEach((found, i) => {
        expect(found).toHaveLength(c.rows);
        for (const { id, score } of found) {
          const dot = expected[i * c.rows + Number(id)]!;
          expect(score).toBeCloseTo(dot / (norm(row(q, i)) * norm(row(c, Number(id)))), 5);
        }
      });
    },
  );

  it("cosine_similarity_score: rejects zero and NaN vectors, for which Sedna returns 0 or NaN", () => {
    expect(matches.length).toBeGreaterThanOrEqual(6);
    using gallery = kernels.gallery({ dimensions: 2 });
    expect(() => gallery.set(["a"], new Float32Array(2))).toThrow(RangeError);
    expect(() => gallery.match({ queries: Float32Array.of(Number.NaN, 1), k: 1 })).toThrow(RangeError);
  });
});
