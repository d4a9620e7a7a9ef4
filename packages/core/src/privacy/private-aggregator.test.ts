import { referenceKernels, type VectorKernels } from "@sedna-js/wasm-kernels";
import { describe, expect, it } from "vitest";
import type { Aggregator } from "../aggregation/aggregator.ts";
import { SednaError } from "../errors.ts";
import { logNormalCdf } from "./normal-tail.ts";
import { createPrivacyAccountant } from "./privacy-accountant.ts";
import { privateAggregator } from "./private-aggregator.ts";
import { kolmogorov, seededFill } from "./statistics.suite.ts";

/** Federated averaging with momentum in a few lines. The server state is the last step. */
const momentum: Aggregator = {
  name: "momentum",
  minClients: 2,
  needsSumOnly: true,
  aggregate: () => undefined,
  createAccumulator({ kernels, base, serverState }) {
    const mean = kernels.weightedMean({ length: base.length });
    let restored: { count: number; totalWeight: number; mean: Float32Array } | undefined;
    const state = () =>
      restored ??
      (mean.count === 0
        ? { count: 0, totalWeight: 0, mean: new Float32Array(base.length) }
        : { count: mean.count, totalWeight: mean.totalWeight, mean: mean.result() });
    return {
      get count() {
        return state().count;
      },
      get totalWeight() {
        return state().totalWeight;
      },
      add: (update, { weight }) => mean.add(update, { weight }),
      state,
      restore: (given) => void (restored = given),
      finish() {
        const { count, mean } = state();
        if (count < 2) throw new SednaError("expected 2 clients", { code: "cohort-too-small" });
        const step = mean.map((value, i) => value + 0.5 * (serverState?.[i] ?? 0));
        return { model: base.map((value, i) => value + step[i]!), serverState: step };
      },
      dispose: () => mean.dispose(),
    };
  },
};

const open = (aggregator: Aggregator, length: number, kernels: VectorKernels = referenceKernels()) =>
  aggregator.createAccumulator({
    kernels,
    base: new Float32Array(length),
    capacity: 10,
    random: Math.random,
  });
const f32 = (...values: number[]) => ({ encoding: "f32", values: Float32Array.from(values) }) as const;

describe("privateAggregator", () => {
  it("adds noise with a standard deviation of noiseMultiplier * clipNorm / count to the mean, not its square", () => {
    const length = 50_001;
    for (const [noiseMultiplier, clipNorm, count] of [
      [1, 0.2, 2],
      [0.3, 4, 5],
    ] as const) {
      const { aggregator } = privateAggregator(momentum, {
        clipNorm,
        noiseMultiplier,
        delta: 1e-5,
        fill: seededFill(1),
      });
      const round = open(aggregator, length);
      for (let i = 0; i < count; i++)
        round.add({ encoding: "f32", values: new Float32Array(length) }, { weight: 1, client: `c${i}` });
      const { model } = round.finish();
      const { distance, limit } = kolmogorov(
        model.map((x) => x / ((noiseMultiplier * clipNorm) / count)),
        (x) => Math.exp(logNormalCdf(x)),
      );
      expect(distance).toBeLessThan(limit);
      round.dispose();
    }
  });

  it("clips every update and weighs all equally, whatever their weight and encoding", () => {
    const { aggregator } = privateAggregator(momentum, {
      clipNorm: 1,
      noiseMultiplier: 1e-9,
      delta: 1e-5,
      fill: seededFill(2),
    });
    const round = open(aggregator, 2);
    round.add(f32(30, 40), { weight: 1e12, client: "large" });
    round.add(
      { encoding: "int8", values: Int8Array.of(0, 100), scale: 0.001 },
      { weight: 3, client: "small" },
    );
    expect(round.totalWeight).toBe(2);
    const { model } = round.finish();
    expect(model[0]).toBeCloseTo(0.3, 5);
    expect(model[1]).toBeCloseTo(0.45, 5);
    round.dispose();
  });

  it("lets the rule's server state depend on the noisy mean only", () => {
    const { aggregator } = privateAggregator(momentum, {
      clipNorm: 1,
      noiseMultiplier: 5,
      delta: 1e-5,
      fill: seededFill(3),
    });
    const round = open(aggregator, 1);
    round.add(f32(0), { weight: 1, client: "a" });
    round.add(f32(0), { weight: 1, client: "b" });
    const { model, serverState } = round.finish();
    expect(serverState![0]).not.toBe(0);
    expect(serverState![0]).toBe(model[0]);
    round.dispose();
  });

  it("C22: rejects an update that is not finite and does not add it", () => {
    const { aggregator } = privateAggregator(momentum, { clipNorm: 1, noiseMultiplier: 1, delta: 1e-5 });
    const round = open(aggregator, 2);
    for (const bad of [NaN, Infinity])
      expect(() => round.add(f32(0, bad), { weight: 1, client: "a" })).toThrow(RangeError);
    expect(round.count).toBe(0);
    expect(() => round.finish()).toThrow(expect.objectContaining({ code: "cohort-too-small" }) as Error);
    round.dispose();
  });

  it("resumes from a saved state", () => {
    const { aggregator } = privateAggregator(momentum, { clipNorm: 1, noiseMultiplier: 1e-9, delta: 1e-5 });
    const first = open(aggregator, 1);
    first.add(f32(0.5), { weight: 1, client: "a" });
    first.add(f32(1), { weight: 1, client: "b" });
    const second = open(aggregator, 1);
    second.restore(first.state()!);
    expect(second.finish().model[0]).toBeCloseTo(0.75, 5);
    first.dispose();
    second.dispose();
  });

  it("reports the cost of all rounds, and reduces it by sampling only if requested", () => {
    const options = { clipNorm: 1, noiseMultiplier: 1, delta: 1e-5 };
    const { privacy: plain } = privateAggregator(momentum, options);
    const { privacy: sampled } = privateAggregator(momentum, { ...options, sampling: "poisson" });
    expect(plain.spent()).toEqual({ epsilon: 0, delta: 1e-5, noiseMultiplier: 1 });
    for (let i = 0; i < 10; i++)
      for (const privacy of [plain, sampled]) privacy.onRound({ selected: 10, accepted: 9, population: 100 });
    for (const [privacy, samplingRate] of [
      [plain, 1],
      [sampled, 0.1],
    ] as const) {
      const accountant = createPrivacyAccountant({ delta: 1e-5 });
      accountant.compose({ noiseMultiplier: 1, samplingRate, steps: 10 });
      expect(privacy.spent().epsilon).toBeCloseTo(accountant.epsilon(), 10);
    }
    expect(sampled.spent().epsilon).toBeLessThan(plain.spent().epsilon / 2);
  });

  it("rejects rules that need the updates themselves, whole weights, and numbers out of range", () => {
    const options = { clipNorm: 1, noiseMultiplier: 1, delta: 1e-5 };
    expect(() => privateAggregator({ ...momentum, needsSumOnly: false }, options)).toThrow(TypeError);
    expect(() => privateAggregator(momentum, options).aggregator.aggregate([])).toThrow(
      expect.objectContaining({ code: "privacy-forbids" }) as Error,
    );
    for (const wrong of [{ clipNorm: 0 }, { noiseMultiplier: 0 }, { noiseMultiplier: NaN }, { delta: 0 }])
      expect(() => privateAggregator(momentum, { ...options, ...wrong })).toThrow(RangeError);
  });
});
