import { loadVectorKernels } from "@sedna-js/wasm-kernels";
import { afterAll, describe, expect, it } from "vitest";
import { select } from "../select.ts";
import { tensor } from "../tensor.ts";
import type { Accumulator, Aggregator } from "./aggregator.ts";
import { aggregation } from "./aggregation.ts";
import { draws, f32, openRound, relativeError, run } from "./rule-fixture.suite.ts";
import { stalenessWeight } from "./lib/mean-accumulator.ts";

// Tests the state of rules: from update to update within a round, and from round to round.

const kernels = await loadVectorKernels({ backend: "wasm" });
afterAll(() => kernels.dispose());
const build = (method: string, param?: object): Aggregator => select(aggregation, { method, param } as never);
const LENGTH = 37;
const random = draws(7);
const change = (): number[] => Array.from({ length: LENGTH }, () => Math.fround(random() - 0.5));

describe.each([
  ["FedAvgM", { momentum: 0.8, learningRate: 0.5 }],
  ["FedAdam", {}],
  ["FedAdam", { biasCorrection: true, learningRate: 0.1, beta2: 0.9 }],
] as const)("%s %o over ten rounds", (method, param) => {
  const rounds = Array.from({ length: 10 }, change);

  /** Reference implementation: the papers' formulas, one coordinate at a time. */
  const twin = (): number[] =>
    Array.from({ length: LENGTH }, (_, i) => {
      let [x, m] = [0, 0];
      const {
        momentum = 0,
        learningRate = 0.01,
        biasCorrection = false,
        beta2 = 0.99,
      } = param as Record<string, never>;
      let v = biasCorrection ? 0 : 1e-3 ** 2;
      for (const [round, changes] of rounds.entries()) {
        const d = changes[i]!;
        if (method === "FedAvgM") {
          m = momentum * m + d;
          x += learningRate * m;
          continue;
        }
        m = 0.9 * m + 0.1 * d;
        v = beta2 * v + (1 - beta2) * d * d;
        const [mHat, vHat] = biasCorrection
          ? [m / (1 - 0.9 ** (round + 1)), v / (1 - beta2 ** (round + 1))]
          : [m, v];
        x += (learningRate * mHat) / (Math.sqrt(vHat) + 1e-3);
      }
      return x;
    });

  it("matches the formula when streaming, with its server state passed on", () => {
    let base: Float32Array = new Float32Array(LENGTH);
    let serverState: Float32Array | undefined;
    for (const changes of rounds) {
      const before = serverState?.slice();
      const made = run(build(method, param), {
        kernels,
        base,
        serverState,
        updates: [f32(changes), f32(changes)],
      });
      // A round that is lost before it is written is finished again from the same server state.
      expect(serverState).toEqual(before);
      ({ model: base, serverState } = made);
    }
    expect(relativeError(base, twin())).toBeLessThan(2e-6);
  });

  it("matches the formula in Sedna's batch form, for clients that start from the last result", () => {
    const rule = build(method, {
      ...param,
      initial: [tensor("float64", [LENGTH], new Float64Array(LENGTH))],
    });
    let base = new Float64Array(LENGTH);
    for (const changes of rounds) {
      const weights = [
        tensor(
          "float64",
          [LENGTH],
          base.map((x, i) => x + changes[i]!),
        ),
      ];
      base = rule.aggregate([
        { numSamples: 2, weights },
        { numSamples: 5, weights },
      ])![0]!.data as Float64Array<ArrayBuffer>;
    }
    expect(relativeError(base, twin())).toBeLessThan(1e-12);
  });
});

describe("C20: a restored accumulator", () => {
  it.each([
    ["FedAvg", {}],
    ["FedAvg", { clipNorm: 0.5 }],
    ["FedAvgM", {}],
    ["FedAdam", {}],
    ["FedProx", {}],
    ["FedBuff", {}],
    ["NormClipping", { clipNorm: 0.5 }],
    ["NormClipping", { clipNorm: 0.5, rule: { method: "FedAvgM" } }],
  ])("of %s %o continues as if all updates had been added to it", (method, param) => {
    const updates = Array.from({ length: 20 }, (_, i) => ({
      values: f32(change()),
      weight: 1 + (i % 5),
      staleness: method === "FedBuff" ? i % 3 : 0,
    }));
    const base = Float32Array.from(change());
    const rule = build(method, param);
    const add = (accumulator: Accumulator, from: number, to: number): void =>
      updates
        .slice(from, to)
        .forEach(({ values, ...rest }, i) => accumulator.add(values, { ...rest, client: String(i) }));

    const whole = openRound(rule, { kernels, base });
    add(whole, 0, 20);
    // Restore after each of four parts, the first time before any update.
    let state = openRound(rule, { kernels, base }).state()!;
    for (const from of [0, 5, 10, 15]) {
      const part = openRound(rule, { kernels, base });
      part.restore(state);
      add(part, from, from + 5);
      // A log returns a copy.
      state = structuredClone(part.state()!);
      part.dispose();
    }
    const restored = openRound(rule, { kernels, base });
    restored.restore(state);
    expect({ count: restored.count, totalWeight: restored.totalWeight }).toEqual({
      count: whole.count,
      totalWeight: whole.totalWeight,
    });
    expect(relativeError(restored.finish().model, whole.finish().model)).toBeLessThan(1e-6);
    restored.dispose();
    whole.dispose();
  });

  it.each([
    ["Median", {}],
    ["TrimmedMean", {}],
    ["MultiKrum", { f: 1 }],
    ["Bucketing", { f: 1, clipNorm: 1 }],
    ["FLTrust", { rootUpdate: (base: Float32Array) => base.slice().fill(1) }],
    ["NormClipping", { clipNorm: 1, rule: { method: "Median" } }],
  ])("does not exist for %s %o, which needs the updates", (method, param) => {
    const open = openRound(build(method, param), { kernels, base: new Float32Array(2) });
    expect(open.state()).toBeUndefined();
    expect(() => open.restore({ count: 1, totalWeight: 1, mean: new Float32Array(2) })).toThrow(TypeError);
    open.dispose();
  });
});

describe("FedBuff", () => {
  it("discounts an update by the staleness of its base model", () => {
    const base = new Float32Array(1);
    const updates = [f32([1]), f32([5]), f32([9])];
    // The paper's formula for equally weighted clients: the mean of s(tau) * update.
    const { model } = run(build("FedBuff", { learningRate: 2 }), {
      kernels,
      base,
      updates,
      staleness: [0, 3, 8],
    });
    expect(model[0]).toBeCloseTo((2 * (1 + 5 / 2 + 9 / 3)) / 3, 6);
    const alike = run(build("FedBuff", { exponent: 0 }), {
      kernels,
      base,
      updates,
      staleness: [0, 3, 8],
      weights: [1, 1, 2],
    });
    expect(alike.model[0]).toBeCloseTo((1 + 5 + 18) / 4, 6);
  });

  it("makes a smaller step if all updates of the buffer are stale", () => {
    const made = (staleness: number): number =>
      run(build("FedBuff"), {
        kernels,
        base: new Float32Array(1),
        updates: [f32([4]), f32([4])],
        staleness: [staleness, staleness],
      }).model[0]!;
    expect([0, 3, 15].map(made)).toEqual([4, 2, 1]);
  });

  it("rejects an invalid staleness", () => {
    const open = openRound(build("FedBuff"), { kernels, base: new Float32Array(1) });
    for (const staleness of [-1, Number.NaN, Infinity])
      expect(() => open.add(f32([1]), { weight: 1, client: "a", staleness })).toThrow(RangeError);
    expect(open.count).toBe(0);
    open.dispose();
    expect([stalenessWeight(0), stalenessWeight(3), stalenessWeight(3, 1)]).toEqual([1, 0.5, 0.25]);
    expect(() => stalenessWeight(1, -1)).toThrow(RangeError);
  });
});
