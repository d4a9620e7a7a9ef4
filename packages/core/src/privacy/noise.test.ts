import { describe, expect, it } from "vitest";
import { discreteLaplace } from "./discrete-laplace.ts";
import { addGaussianNoise } from "./gaussian-noise.ts";
import { logNormalCdf } from "./normal-tail.ts";
import { gaussianNoiseFor } from "./analytic-gaussian.ts";
import { privateVectors, type VectorMechanism } from "./private-vectors.ts";
import { randomBits } from "./random-bits.ts";
import { estimateCounts, randomizeLabels, randomizedResponse } from "./randomized-response.ts";
import { chiSquare, kolmogorov, seededFill, shareError } from "./statistics.suite.ts";

const normalCdf = (x: number): number => Math.exp(logNormalCdf(x));

describe("randomBits", () => {
  it("draws integers below a limit uniformly, below and above 32 bits", () => {
    const bits = randomBits(seededFill(1));
    for (const limit of [7, 2 ** 32, 3 * 2 ** 40, 2 ** 53]) {
      const counts = Array.from({ length: 7 }, () => 0);
      for (let i = 0; i < 70_000; i++) counts[Math.floor((bits.below(limit) / limit) * 7)]!++;
      const { statistic, limit: most } = chiSquare(
        counts,
        counts.map(() => 10_000),
      );
      expect(statistic).toBeLessThan(most);
    }
  });

  it("draws from the engine's cryptographic source by default, without repeats", () => {
    const [a, b] = [randomBits(), randomBits()];
    const draws = [a, b].flatMap((bits) => Array.from({ length: 10_000 }, () => bits.uniform()));
    expect(new Set(draws).size).toBe(20_000);
    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
  });
});

describe("discreteLaplace", () => {
  it.each([1, 3, 10])("draws each integer with its probability at scale %i", (scale) => {
    const bits = randomBits(seededFill(scale));
    const reach = 2 * scale;
    const counts = Array.from({ length: 2 * reach + 3 }, () => 0);
    const draws = 200_000;
    for (let i = 0; i < draws; i++)
      counts[Math.max(-reach - 1, Math.min(reach + 1, discreteLaplace(scale, bits))) + reach + 1]!++;
    const ratio = Math.exp(-1 / scale);
    const probability = (k: number): number => ((1 - ratio) / (1 + ratio)) * ratio ** Math.abs(k);
    const tail = ratio ** (reach + 1) / (1 + ratio);
    const expected = counts.map(
      (_, i) => draws * (i === 0 || i === counts.length - 1 ? tail : probability(i - reach - 1)),
    );
    expect(expected.reduce((sum, one) => sum + one, 0)).toBeCloseTo(draws, 6);
    const { statistic, limit } = chiSquare(counts, expected);
    expect(statistic).toBeLessThan(limit);
  });

  it("rejects a scale that it cannot draw exactly", () => {
    for (const scale of [0, 1.5, 2 ** 41, NaN])
      expect(() => discreteLaplace(scale, randomBits(seededFill(1)))).toThrow(RangeError);
  });
});

describe("addGaussianNoise", () => {
  it.each([0.01, 0.1, 1, 37])("uses %f as the standard deviation, not as the variance", (deviation) => {
    const noise = addGaussianNoise(new Float32Array(100_001), { deviation, bits: randomBits(seededFill(3)) });
    const { distance, limit } = kolmogorov(
      noise.map((x) => x / deviation),
      normalCdf,
    );
    expect(distance).toBeLessThan(limit);
    // The same noise, read as if the deviation were the variance, is far off. At 1 both are equal.
    if (deviation !== 1)
      expect(
        kolmogorov(
          noise.map((x) => x / Math.sqrt(deviation)),
          normalCdf,
        ).distance,
      ).toBeGreaterThan(limit * 5);
  });

  it("returns multiples of one power of two, whatever the number under the noise", () => {
    // The step is 2^-12 here. Rounding to float32 keeps its multiples.
    const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 1e-3);
    const noisy = addGaussianNoise(values, { deviation: 2 ** 20, bits: randomBits(seededFill(4)) });
    expect(noisy.every((x) => Number.isInteger(x * 2 ** 12))).toBe(true);
    expect(noisy).not.toEqual(values);
  });

  it("rejects a deviation of 0 or infinity and numbers that are not finite", () => {
    const bits = randomBits(seededFill(1));
    for (const deviation of [0, -1, NaN, Infinity, 1e-320])
      expect(() => addGaussianNoise(new Float32Array(1), { deviation, bits })).toThrow(RangeError);
    for (const value of [NaN, Infinity])
      expect(() => addGaussianNoise(Float32Array.of(value), { deviation: 1, bits })).toThrow(RangeError);
  });
});

describe("randomizedResponse", () => {
  it.each([
    [0.1, 2],
    [1, 10],
    [3, 10],
    [8, 1000],
  ])("has an epsilon of at most %f over %i classes, and hardly less", (epsilon, classes) => {
    const { truth, lie } = randomizedResponse({ epsilon, classes });
    expect(truth + (classes - 1) * lie).toBeCloseTo(1, 14);
    expect(Math.log(truth / lie)).toBeLessThanOrEqual(epsilon + 1e-12);
    expect(Math.log(truth / lie)).toBeGreaterThan(epsilon - 1e-9);
  });

  it("returns the true label with its probability, and all other labels equally often", () => {
    const draws = 100_000;
    const answers = randomizeLabels(new Uint32Array(draws).fill(2), {
      epsilon: 1,
      classes: 5,
      bits: randomBits(seededFill(5)),
    });
    const { truth, lie } = randomizedResponse({ epsilon: 1, classes: 5 });
    const counts = [0, 1, 2, 3, 4].map((label) => answers.filter((answer) => answer === label).length);
    const { statistic, limit } = chiSquare(
      counts,
      [0, 1, 2, 3, 4].map((label) => draws * (label === 2 ? truth : lie)),
    );
    expect(statistic).toBeLessThan(limit);
  });

  it("gives every label a nonzero probability at any epsilon, and rejects labels out of range", () => {
    const { truth, lie } = randomizedResponse({ epsilon: 100, classes: 10 });
    expect(truth).toBeLessThan(1);
    expect(lie).toBeGreaterThan(0);
    expect(() => randomizeLabels(Uint32Array.of(3), { epsilon: 1, classes: 3, bits: randomBits() })).toThrow(
      RangeError,
    );
    expect(() => randomizedResponse({ epsilon: 0, classes: 3 })).toThrow(RangeError);
    expect(() => randomizedResponse({ epsilon: 1, classes: 1 })).toThrow(RangeError);
  });

  it("allows counts to be estimated", () => {
    const real = [30_000, 0, 10_000, 60_000];
    const labels = Uint32Array.from(
      real.flatMap((count, label) => Array.from({ length: count }, () => label)),
    );
    const answers = randomizeLabels(labels, { epsilon: 1, classes: 4, bits: randomBits(seededFill(6)) });
    const estimate = estimateCounts(
      [0, 1, 2, 3].map((label) => answers.filter((answer) => answer === label).length),
      randomizedResponse({ epsilon: 1, classes: 4 }),
    );
    for (const [label, count] of real.entries())
      expect(Math.abs(estimate[label]! - count)).toBeLessThan(2500);
    expect(estimate.reduce((sum, one) => sum + one, 0)).toBeCloseTo(100_000, 3);
  });
});

describe("privateVectors", () => {
  const rows = 150_000;
  /** Returns the shares of private values of `value` above each threshold. */
  const above = (value: number, mechanism: VectorMechanism): number[] => {
    const given = privateVectors(new Float32Array(rows).fill(value), {
      width: 1,
      mechanism,
      bits: randomBits(seededFill(value > 0 ? 7 : 8)),
    });
    return [-3, -1, 0, 1, 2, 4].map((threshold) => given.filter((one) => one > threshold).length / rows);
  };

  it.each<VectorMechanism>([
    { kind: "laplace", epsilon: 1, bound: 1 },
    { kind: "laplace", epsilon: 3, bound: 1 },
    { kind: "gaussian", epsilon: 1, delta: 0.05, bound: 1 },
  ])("distinguishes the two most distant vectors by at most epsilon, and hardly less: %o", (mechanism) => {
    const { epsilon } = mechanism;
    const delta = mechanism.kind === "gaussian" ? mechanism.delta : 0;
    const [high, low] = [above(1, mechanism), above(-1, mechanism)];
    const error = shareError(rows);
    const excess = high.map((share, i) => share - Math.exp(epsilon) * low[i]! - delta);
    for (const one of excess) expect(one).toBeLessThan(error * (1 + Math.exp(epsilon)));
    // At some threshold the full epsilon is used, so the check above detects half the noise.
    expect(Math.max(...excess)).toBeGreaterThan(-0.06);
  });

  it("scales down long rows and keeps short rows, each row on its own", () => {
    const mechanism = { kind: "laplace", epsilon: 1e6, bound: 1 } as const;
    const given = privateVectors(Float32Array.of(3, -1, 0.25, 0.25, 0, 0), {
      width: 2,
      mechanism,
      bits: randomBits(seededFill(9)),
    });
    for (const [i, expected] of [0.75, -0.25, 0.25, 0.25, 0, 0].entries())
      expect(given[i]).toBeCloseTo(expected, 3);
  });

  it("adds Gaussian noise for vectors that are twice the bound apart", () => {
    const mechanism = { kind: "gaussian", epsilon: 1, delta: 1e-5, bound: 0.5 } as const;
    const noise = privateVectors(new Float32Array(100_000), {
      width: 100,
      mechanism,
      bits: randomBits(seededFill(10)),
    });
    const deviation = gaussianNoiseFor(mechanism);
    const { distance, limit } = kolmogorov(
      noise.map((x) => x / deviation),
      normalCdf,
    );
    expect(distance).toBeLessThan(limit);
  });

  it("rejects values out of range", () => {
    const bits = randomBits(seededFill(1));
    const good = { kind: "laplace", epsilon: 1, bound: 1 } as const;
    for (const mechanism of [
      { ...good, epsilon: 0 },
      { ...good, bound: 0 },
      { ...good, epsilon: 1e-6 },
      { kind: "gaussian", epsilon: 1, delta: 0, bound: 1 } as const,
    ]) {
      expect(() => privateVectors(new Float32Array(2), { width: 2, mechanism, bits })).toThrow(RangeError);
    }
    expect(() => privateVectors(Float32Array.of(1, NaN), { width: 2, mechanism: good, bits })).toThrow(
      RangeError,
    );
    expect(() => privateVectors(new Float32Array(3), { width: 2, mechanism: good, bits })).toThrow(
      RangeError,
    );
  });
});
