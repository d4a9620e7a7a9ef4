import { loadVectorKernels, type ModelUpdate } from "@sedna-js/wasm-kernels";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { select } from "../select.ts";
import type { Aggregator } from "./aggregator.ts";
import { aggregation } from "./aggregation.ts";
import { distance, f32, openRound, relativeError, run } from "./rule-fixture.suite.ts";

const kernels = await loadVectorKernels({ backend: "wasm" });
afterAll(() => kernels.dispose());
const build = (method: string, param?: object): Aggregator => select(aggregation, { method, param } as never);
const LENGTH = 5;
const base = Float32Array.from({ length: LENGTH }, (_, i) => i / 4 - 0.5);

/** Numbers that float32 adds without rounding, so that equal results compare as equal. */
const dyadic = fc.integer({ min: -4096, max: 4096 }).map((x) => x / 64);
const vector = fc.array(dyadic, { minLength: LENGTH, maxLength: LENGTH });
const cohort = fc.array(vector, { minLength: 9, maxLength: 15 });

const every: readonly (readonly [string, object?])[] = [
  ["FedAvg"],
  ["FedAvg", { clipNorm: 3 }],
  ["FedAvgM"],
  ["FedAdam"],
  ["FedProx"],
  ["FedBuff"],
  ["TrimmedMean"],
  ["TrimmedMean", { trim: 3 }],
  ["Median"],
  ["MultiKrum", { f: 2 }],
  ["MultiKrum", { f: 3, m: 1 }],
  ["FLTrust", { rootUpdate: () => Float32Array.of(1, 2, -1, 0.5, 0) }],
  ["NormClipping", { clipNorm: 3, rule: { method: "TrimmedMean" } }],
  ["Bucketing", { f: 2, clipNorm: 100 }],
  ["Bucketing", { f: 2, clipNorm: 100, rule: "trimmed" }],
];
const name = ([method, param]: readonly [string, object?]): string =>
  `${method} ${JSON.stringify(param ?? {})}`;
const named = every.map((one) => ({ name: name(one), rule: () => build(...one) }));
/** Bucketing draws which clients share a bucket: another order is another draw. */
const orderless = named.filter(({ name: label }) => !label.startsWith("Bucketing"));

/** Returns the model, or "no trusted update" if FLTrust trusts none. */
const model = (
  rule: Aggregator,
  options: { readonly updates: readonly ModelUpdate[]; readonly weights?: readonly number[] },
): Float32Array | "no trusted update" => {
  try {
    return run(rule, { kernels, base, ...options }).model;
  } catch (error) {
    if (rule.name === "FLTrust" && (error as { code?: string }).code === "cohort-too-small")
      return "no trusted update";
    throw error;
  }
};

describe.each(orderless)("$name", ({ rule }) => {
  it("does not depend on the order of the updates", () => {
    fc.assert(
      fc.property(
        cohort.chain((rows) =>
          fc.tuple(
            fc.constant(rows),
            fc.shuffledSubarray(
              rows.map((_, i) => i),
              { minLength: rows.length },
            ),
          ),
        ),
        ([rows, order]) => {
          const weights = rows.map((_, i) => 1 + i);
          const one = model(rule(), { updates: rows.map(f32), weights });
          const other = model(rule(), {
            updates: order.map((i) => f32(rows[i]!)),
            weights: order.map((i) => weights[i]!),
          });
          if (one === "no trusted update" || other === "no trusted update") expect(other).toBe(one);
          else expect(relativeError(other, one)).toBeLessThan(1e-6);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe.each(named)("$name", ({ rule }) => {
  const odd: readonly (readonly [string, ModelUpdate])[] = [
    ["a NaN", f32([1, 2, 3, 4, Number.NaN])],
    ["an infinity", f32([-Infinity, 2, 3, 4, 5])],
    ["an infinite half", { encoding: "f16", values: Uint16Array.of(0, 0x7c00, 0, 0, 0) }],
    ["a sparse NaN", { encoding: "topk", indices: Uint32Array.of(1), values: Float32Array.of(Number.NaN) }],
    ["an index beyond the end", { encoding: "topk", indices: Uint32Array.of(5), values: Float32Array.of(1) }],
    ["a wrong length", f32([1, 2, 3, 4])],
  ];

  it.each(odd)("C22: rejects an update with %s and keeps the accumulator bit for bit", (_, malformed) => {
    fc.assert(
      fc.property(cohort, fc.nat(), (rows, at) => {
        const finish = (updates: readonly ModelUpdate[]): Uint8Array | string => {
          const open = openRound(rule(), { kernels, base });
          try {
            for (const [i, update] of updates.entries()) {
              if (update === malformed)
                expect(() => open.add(update, { weight: 1, client: "hostile" })).toThrow(RangeError);
              else open.add(update, { weight: 1, client: String(i) });
            }
            expect(open.count).toBe(rows.length);
            expect(open.totalWeight).toBe(rows.length);
            return new Uint8Array(open.finish().model.buffer);
          } catch (error) {
            if ((error as { code?: string }).code !== "cohort-too-small") throw error;
            return (error as Error).message;
          } finally {
            open.dispose();
          }
        };
        const clean = rows.map(f32);
        // Compare bits, not numbers: 0 and -0 differ.
        expect(finish(clean.toSpliced(at % (rows.length + 1), 0, malformed))).toEqual(finish(clean));
      }),
      { numRuns: 10 },
    );
  });

  it.each([0, -1, Number.NaN, Infinity])("C22: rejects a weight of %s", (weight) => {
    const open = openRound(rule(), { kernels, base });
    expect(() => open.add(f32(base), { weight, client: "hostile" })).toThrow(RangeError);
    expect(() => open.add(f32(base), { weight: "5" as never, client: "hostile" })).toThrow(TypeError);
    expect({ count: open.count, totalWeight: open.totalWeight }).toEqual({ count: 0, totalWeight: 0 });
    open.dispose();
    open.dispose();
  });
});

describe.each([
  ["Median", {}],
  ["TrimmedMean", {}],
  ["TrimmedMean", { trim: 4 }],
  ["MultiKrum", { f: 2, m: 1 }],
] as const)("%s %o", (method, param) => {
  it("moves the model by the same vector if all updates move by it", () => {
    fc.assert(
      fc.property(cohort, vector, (rows, shift) => {
        const zero = new Float32Array(LENGTH);
        const plain = run(build(method, param), { kernels, base: zero, updates: rows.map(f32) }).model;
        const moved = run(build(method, param), {
          kernels,
          base: zero,
          updates: rows.map((row) => f32(row.map((x, i) => x + shift[i]!))),
        }).model;
        expect(Math.max(...moved.map((x, i) => Math.abs(x - plain[i]! - shift[i]!)))).toBeLessThan(5e-5);
      }),
      { numRuns: 200 },
    );
  });
});

describe.each([
  ["FedAvg", { clipNorm: 2 }],
  ["FedBuff", { clipNorm: 2 }],
  ["NormClipping", { clipNorm: 2 }],
  ["NormClipping", { clipNorm: 2, rule: { method: "FedProx" } }],
] as const)("%s %o", (method, param) => {
  it("lets one client of n move the model by at most twice clipNorm times its share", () => {
    const huge = fc.array(fc.double({ min: -3e37, max: 3e37, noNaN: true }), {
      minLength: LENGTH,
      maxLength: LENGTH,
    });
    fc.assert(
      fc.property(cohort, huge, huge, (rows, one, other) => {
        const finish = (last: readonly number[]): Float32Array =>
          run(build(method, param), { kernels, base, updates: [...rows.map(f32), f32(last)] }).model;
        expect(distance(finish(one), finish(other))).toBeLessThanOrEqual(
          ((2 * 2) / (rows.length + 1)) * (1 + 1e-5) + 1e-6,
        );
        expect(distance(finish(one), base)).toBeLessThanOrEqual(2 * (1 + 1e-5));
      }),
      { numRuns: 200 },
    );
  });
});

describe.each([
  ["Median", {}],
  ["TrimmedMean", { trim: 4 }],
] as const)("%s %o", (method, param) => {
  it("stays between honest values against four hostile clients among at least 13", () => {
    const hostile = fc.array(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: LENGTH, maxLength: LENGTH }),
      { minLength: 4, maxLength: 4 },
    );
    fc.assert(
      fc.property(cohort, hostile, (rows, lies) => {
        const zero = new Float32Array(LENGTH);
        const { model: made } = run(build(method, param), {
          kernels,
          base: zero,
          updates: [...rows, ...lies].map(f32),
        });
        made.forEach((x, i) => {
          const honest = rows.map((row) => row[i]!);
          expect(x).toBeGreaterThanOrEqual(Math.min(...honest) - 1e-4);
          expect(x).toBeLessThanOrEqual(Math.max(...honest) + 1e-4);
        });
      }),
      { numRuns: 200 },
    );
  });
});
