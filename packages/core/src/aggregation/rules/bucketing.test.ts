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

/**
 * Creates updates of 1000 clients: honest updates are zeros plus slight noise; hostile updates pull each
 * number to 1.
 */
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

/**
 * Returns how far `hostile` of 1000 clients move a number of the model: the root mean square over its
 * numbers, averaged over three draws.
 */
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
  it("withstands as many hostile clients as declared, from few to many", () => {
    for (const f of [4, 10, 16]) {
      expect(shift(Bucketing({ f, clipNorm: 10 }), f)).toBeLessThan(0.002);
      expect(shift(Bucketing({ f, clipNorm: 10, rule: "trimmed" }), f)).toBeLessThan(0.002);
      expect(shift(FedAvg(), f)).toBeGreaterThan(0.9 * (f / CLIENTS));
    }
  });

  it("does worse than the plain mean with more hostile clients than declared, and rejects fewer than 4f buckets", () => {
    // 10 of 1000 clients corrupt about half of 16 buckets, 50 clients all of them: the median of corrupted
    // means is hardly better than the mean.
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

  it("clips first, so that undeclared hostile clients have no more influence than other clients", () => {
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

  it("weighs each client equally, regardless of its reported number of samples", () => {
    const open = openRound(Bucketing({ f: 1, clipNorm: 10 }), { kernels, base: new Float32Array(1) });
    // 21 clients in four buckets: one bucket of six clients and three of five.
    for (let i = 0; i < 21; i++)
      open.add({ encoding: "f32", values: Float32Array.of(4) }, { weight: 1 + i, client: String(i) });
    expect({ count: open.count, totalWeight: open.totalWeight }).toEqual({ count: 21, totalWeight: 231 });
    expect([...open.finish().model]).toEqual([4]);
    open.dispose();
  });
});

describe("turnsOfBuckets()", () => {
  it("returns each bucket once per cycle, in random order", () => {
    const turns = turnsOfBuckets(7, draws(3));
    const rounds = Array.from({ length: 500 }, () => Array.from({ length: 7 }, turns));
    for (const round of rounds) expect(round.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Each bucket is first in about a seventh of the cycles.
    for (let bucket = 0; bucket < 7; bucket++)
      expect(Math.abs(rounds.filter(([first]) => first === bucket).length - 500 / 7)).toBeLessThan(35);
  });
});
