import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gaussianEpsilon, gaussianNoiseFor } from "./analytic-gaussian.ts";
import { logErfc } from "./normal-tail.ts";
import { createPrivacyAccountant, noiseMultiplierFor, RENYI_ORDERS } from "./privacy-accountant.ts";
import { renyiDivergence } from "./sampled-gaussian.ts";

// testing/python/dp_golden.py writes the golden files with PyPI dp-accounting 0.6.0.

const golden = <Case>(name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`golden-${name}.json`, import.meta.url), "utf8")) as Case[];

/** Returns the largest relative difference. Equal infinities do not differ. */
function apart(pairs: readonly { readonly got: number; readonly expected: number }[]): number {
  return Math.max(
    ...pairs.map(({ got, expected }) =>
      got === expected ? 0 : Math.abs(got - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE),
    ),
  );
}

describe("logErfc", () => {
  it("agrees with mpmath to 2e-13 on both sides of the switch from the series to the continued fraction", () => {
    const cases = golden<{ x: number; logErfc: number }>("tail");
    expect(cases.length).toBeGreaterThan(10);
    for (const { x, logErfc: expected } of cases)
      expect({ x, apart: apart([{ got: logErfc(x), expected }]) < 2e-13 }).toEqual({ x, apart: true });
  });
});

describe("the accountant and dp-accounting", () => {
  it("agree on the divergence of every order to 1e-8, and on the orders with an infinite one", () => {
    const cases = golden<{ sigma: number; rate: number; divergences: (number | "Infinity")[] }>("divergence");
    expect(cases).toHaveLength(9);
    for (const { sigma, rate, divergences } of cases) {
      const pairs = RENYI_ORDERS.map((order, i) => ({
        got: renyiDivergence({ noiseMultiplier: sigma, samplingRate: rate }, order),
        expected: Number(divergences[i]),
      }));
      expect({ sigma, rate, apart: apart(pairs) < 1e-8 || apart(pairs) }).toEqual({
        sigma,
        rate,
        apart: true,
      });
    }
  });

  it("agree on epsilon to 1e-8 over noise .5 to 10, rates 1e-4 to 1, steps 1 to 1e5, three deltas, and on a mixture", () => {
    const cases = golden<{
      releases: [number, number, number][];
      delta: number;
      epsilon: number | "Infinity";
    }>("accountant");
    expect(cases.length).toBeGreaterThan(600);
    const pairs = cases.map(({ releases, delta, epsilon }) => {
      const accountant = createPrivacyAccountant({ delta });
      for (const [noiseMultiplier, samplingRate, steps] of releases)
        accountant.compose({ noiseMultiplier, samplingRate, steps });
      return { got: accountant.epsilon(), expected: Number(epsilon) };
    });
    expect(apart(pairs)).toBeLessThan(1e-8);
  }, 60_000);

  it("agree on the noise for an epsilon to 2e-6", () => {
    const pairs = golden<{ epsilon: number; delta: number; rate: number; steps: number; sigma: number }>(
      "calibration",
    ).map(({ epsilon, delta, rate, steps, sigma }) => ({
      got: noiseMultiplierFor({ epsilon, delta, samplingRate: rate, steps }),
      expected: sigma,
    }));
    expect(apart(pairs)).toBeLessThan(2e-6);
  });

  it("agree on the analytic Gaussian mechanism to 1e-9", () => {
    const pairs = golden<{ epsilon: number; delta: number; sigma: number }>("gaussian").map(
      ({ epsilon, delta, sigma }) => ({ got: gaussianNoiseFor({ epsilon, delta }), expected: sigma }),
    );
    expect(apart(pairs)).toBeLessThan(1e-9);
  });
});

describe("createPrivacyAccountant", () => {
  it("has spent nothing before the first release, or after releases without participants", () => {
    const accountant = createPrivacyAccountant({ delta: 1e-5 });
    expect(accountant.epsilon()).toBe(0);
    accountant.compose({ noiseMultiplier: 1, samplingRate: 0, steps: 10 });
    accountant.compose({ noiseMultiplier: 1, samplingRate: 0.5, steps: 0 });
    expect(accountant.epsilon()).toBe(0);
  });

  it("reports an infinite epsilon for releases without noise", () => {
    const accountant = createPrivacyAccountant({ delta: 1e-5 });
    accountant.compose({ noiseMultiplier: 0, samplingRate: 0.1, steps: 1 });
    expect(accountant.epsilon()).toBe(Infinity);
  });

  it("reaches the same epsilon step by step, and if its releases are composed again", () => {
    const delta = 1e-5;
    const [once, slowly, again] = [1, 2, 3].map(() => createPrivacyAccountant({ delta }));
    once!.compose({ noiseMultiplier: 1.1, samplingRate: 0.02, steps: 40 });
    for (let i = 0; i < 40; i++) slowly!.compose({ noiseMultiplier: 1.1, samplingRate: 0.02, steps: 1 });
    expect(slowly!.epsilon()).toBeCloseTo(once!.epsilon(), 12);
    expect(slowly!.releases).toEqual([{ noiseMultiplier: 1.1, samplingRate: 0.02, steps: 40 }]);
    for (const releases of slowly!.releases) again!.compose(releases);
    expect(again!.epsilon()).toBeCloseTo(once!.epsilon(), 12);
  });

  it("rejects values out of range and adds nothing", () => {
    const accountant = createPrivacyAccountant({ delta: 1e-5 });
    for (const wrong of [
      { noiseMultiplier: -1 },
      { noiseMultiplier: NaN },
      { samplingRate: 1.1 },
      { samplingRate: NaN },
      { steps: 1.5 },
      { steps: -1 },
    ]) {
      expect(() => accountant.compose({ noiseMultiplier: 1, samplingRate: 0.1, steps: 1, ...wrong })).toThrow(
        RangeError,
      );
    }
    expect(accountant.releases).toEqual([]);
    for (const delta of [0, 1, -1, NaN]) expect(() => createPrivacyAccountant({ delta })).toThrow(RangeError);
    expect(() => createPrivacyAccountant({ delta: 0.1, orders: [1] })).toThrow(RangeError);
    expect(() => noiseMultiplierFor({ epsilon: 0, delta: 1e-5, samplingRate: 1, steps: 1 })).toThrow(
      RangeError,
    );
  });
});

describe("the analytic Gaussian mechanism", () => {
  it("needs less noise than the classical formula, and returns the requested epsilon", () => {
    for (const epsilon of [0.1, 0.9]) {
      const noise = gaussianNoiseFor({ epsilon, delta: 1e-5 });
      expect(noise).toBeLessThan(Math.sqrt(2 * Math.log(1.25e5)) / epsilon);
      expect(gaussianEpsilon({ noiseMultiplier: noise, delta: 1e-5 })).toBeCloseTo(epsilon, 9);
    }
    expect(gaussianEpsilon({ noiseMultiplier: 1e6, delta: 1e-3 })).toBe(0);
  });
});
