import { seededRandom } from "@sedna-js/wasm-kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dirichletSplit } from "./dirichlet-split.ts";

const labels = Uint8Array.from({ length: 2000 }, (_, i) => i % 10);
const classesOf = (part: readonly number[]): number => {
  const counts = new Map<number, number>();
  for (const i of part) counts.set(labels[i]!, (counts.get(labels[i]!) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > part.length / 20).length;
};

describe("dirichletSplit()", () => {
  it("assigns every sample to exactly one part for any alpha", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 1e-4, max: 1e4, noNaN: true }),
        fc.nat(2 ** 32 - 1),
        (parts, alpha, seed) => {
          const split = dirichletSplit(labels, { parts, alpha, random: seededRandom({ seed, stream: 0 }) });
          expect(split).toHaveLength(parts);
          expect(split.flat().toSorted((a, b) => a - b)).toEqual([...labels.keys()]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("gives each part few classes at an alpha of 0.1, and all classes at 100", () => {
    const means = [0.1, 100].map((alpha) => {
      const split = dirichletSplit(labels, {
        parts: 10,
        alpha,
        random: seededRandom({ seed: 1, stream: 0 }),
      }).filter((part) => part.length > 0);
      return split.reduce((sum, part) => sum + classesOf(part), 0) / split.length;
    });
    expect(means[0]).toBeLessThan(4);
    expect(means[1]).toBeGreaterThan(9);
  });

  it("draws the same split from the same seed", () => {
    const draw = () =>
      dirichletSplit(labels, { parts: 5, alpha: 0.5, random: seededRandom({ seed: 3, stream: 0 }) });
    expect(draw()).toEqual(draw());
  });

  it.each([
    [{ parts: 0, alpha: 1 }, "expected parts as a whole number from 1 up; got 0"],
    [{ parts: 2, alpha: 0 }, "expected alpha as a number above 0; got 0"],
    [{ parts: 2, alpha: NaN }, "expected alpha as a number above 0; got NaN"],
  ])("refuses %j", (options, message) => {
    expect(() => dirichletSplit(labels, { ...options, random: () => 0.5 })).toThrow(message);
  });
});
