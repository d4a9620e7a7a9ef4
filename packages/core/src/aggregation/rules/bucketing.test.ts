import { loadVectorKernels, type ModelUpdate } from "@sedna-js/wasm-kernels";
import { afterAll, describe, expect, it } from "vitest";
import type { Aggregator } from "../aggregator.ts";
import { Bucketing, turnsOfBuckets } from "./bucketing.ts";
import { FedAvg } from "./fed-avg.ts";
import { distance, draws, normal, openRound, run } from "../rule-fixture.suite.ts";

const kernels = await loadVectorKernels({ backend: "wasm" });
afterAll(() => kernels.dispose());

const LENGTH = 20;
const CLIENTS = 1000;
const base = new Float32Array(LENGTH);

/** Honest updates are zeros and a breath of noise; hostile ones pull each number to 1. */
function updates(hostile: number, seed: number): ModelUpdate[] {
  const [noise, next] = [normal(seed), draws(seed + 1)];
  const places = Array.from({ length: CLIENTS }, (_, i) => ({ i, at: next() })).toSorted(
    (a, b) => a.at - b.at,
  );
  const lies = new Set(places.slice(0, hostile).map(({ i }) => i));
  return Array.from({ length: CLIENTS }, (_, i) => ({
    encoding: "f32",
    values: Float32Array.from({ length: LENGTH }, () => (lies.has(i) ? 1 : 1e-3 * noise())),
  }));
}

/** How far `hostile` of 1000 clients move a number of the model, on average over it and a few draws. */
function shift(rule: Aggregator, hostile: number): number {
  const shifts = [1, 2, 3].map(
    (seed) =>
      distance(
        run(rule, { kernels, base, updates: updates(hostile, seed), random: draws(seed) }).model,
        base,
      ) / Math.sqrt(LENGTH),
  );
  return shifts.reduce((sum, one) => sum + one, 0) / shifts.length;
}

describe("Bucketing", () => {
  it("B2: withstands the hostile clients that were declared, from fewest to most", () => {
    for (const f of [4, 10, 16]) {
      expect(shift(Bucketing({ f, clipNorm: 10 }), f)).toBeLessThan(0.002);
      expect(shift(Bucketing({ f, clipNorm: 10, rule: "trimmed" }), f)).toBeLessThan(0.002);
      expect(shift(FedAvg(), f)).toBeGreaterThan(0.9 * (f / CLIENTS));
    }
  });

  it("B2, the trap: more hostile clients than declared are worse than the plain mean, so fewer than 4 f buckets are refused", () => {
    // 10 of 1000 spoil about half of 16 buckets, 50 all of them: the median of spoilt means is hardly better
    // than the mean.
    const declaredFour = Bucketing({ f: 4, buckets: 16, clipNorm: 10 });
    expect(shift(declaredFour, 10)).toBeGreaterThan(0.2 * shift(FedAvg(), 10));
    expect(shift(FedAvg(), 50)).toBeCloseTo(0.05, 2);
    expect(shift(declaredFour, 50)).toBeGreaterThan(0.04);
    const declaredSixteen = Bucketing({ f: 16, buckets: 64, clipNorm: 10 });
    expect(shift(declaredSixteen, 50)).toBeGreaterThan(0.05);

    expect(() => Bucketing({ f: 10, buckets: 16, clipNorm: 10 })).toThrow(
      new RangeError(
        "build Bucketing: expected f below half of the 16 buckets, else the hostile clients' buckets outvote the others; got 10",
      ),
    );
    expect(() => Bucketing({ f: 8, buckets: 16, clipNorm: 10 })).toThrow("half");
    expect(() => Bucketing({ f: "5", buckets: "16", clipNorm: "10" })).toThrow(
      new RangeError("build Bucketing: expected at least 4 f = 20 buckets; got 16"),
    );
    expect(Bucketing({ f: 5, clipNorm: 10 }).minClients).toBe(20);
  });

  it("B2: clips first, so that even undeclared hostile clients do no more than the rest of theirs", () => {
    const pull = (hostile: number): number => {
      const all = updates(hostile, 1).map((update): ModelUpdate =>
        update.values[0] === 1
          ? { encoding: "f32", values: Float32Array.from(update.values, () => 1e30) }
          : update,
      );
      return distance(run(Bucketing({ f: 4, clipNorm: 0.01 }), { kernels, base, updates: all }).model, base);
    };
    for (const hostile of [4, 50, 900]) expect(pull(hostile)).toBeLessThan(0.0101);
    expect(pull(900)).toBeGreaterThan(0.008);
  });

  it("counts each client once, whatever it says of its samples", () => {
    const open = openRound(Bucketing({ f: 1, clipNorm: 10 }), { kernels, base: new Float32Array(1) });
    // 21 clients in four buckets: a bucket of six among those of five.
    for (let i = 0; i < 21; i++)
      open.add({ encoding: "f32", values: Float32Array.of(4) }, { weight: 1 + i, client: String(i) });
    expect({ count: open.count, totalWeight: open.totalWeight }).toEqual({ count: 21, totalWeight: 231 });
    expect([...open.finish().model]).toEqual([4]);
    open.dispose();
  });
});

describe("turnsOfBuckets()", () => {
  it("gives each bucket one turn in each round of turns, in an order that is drawn", () => {
    const turns = turnsOfBuckets(7, draws(3));
    const rounds = Array.from({ length: 500 }, () => Array.from({ length: 7 }, turns));
    for (const round of rounds) expect(round.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Each bucket is first in about a seventh of the rounds.
    for (let bucket = 0; bucket < 7; bucket++)
      expect(Math.abs(rounds.filter(([first]) => first === bucket).length - 500 / 7)).toBeLessThan(35);
  });
});
