import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKernelSet } from "../../module/load-module.ts";
import { perceptionModule } from "../load-perception-kernels.ts";
import type { PerceptionKernels } from "../perception-kernels.ts";
import type { PerceptionMemory } from "./perception-exports.ts";
import { minScores, filtersBySize, noMinScores, type MinScores } from "./small-batches.ts";

const load = (least?: MinScores) =>
  loadKernelSet("test", { backend: "wasm", candidates: [perceptionModule(least)] });
let chosen: PerceptionKernels;
let inModule: PerceptionKernels;
let plain: PerceptionKernels;
beforeAll(async () => {
  chosen = await load();
  inModule = await load(noMinScores);
  plain = await load({ ibt: Infinity, threshold: Infinity, crossEntropy: Infinity });
});
afterAll(() => [chosen, inModule, plain].forEach((kernels) => kernels.dispose()));

const near = (least: number) => [0, 1, least - 1, least, least + 1, 3 * least];
const scoresOf = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7919) % 101) / 100);
/** Images of 0 to 4 boxes, after three scores that belong to no image. */
const offsetsOf = (length: number) => {
  const offsets = [3];
  for (let i = 0; offsets.at(-1)! < 3 + length; i++)
    offsets.push(Math.min(offsets.at(-1)! + (i % 5), 3 + length));
  return Uint32Array.from(offsets);
};

describe("small batches", () => {
  it.each(near(minScores.ibt))(
    "give the same result of ibt() in the module and outside it: %i scores",
    (length) => {
      const options = {
        scores: scoresOf(3 + length),
        offsets: offsetsOf(length),
        thresholdBox: 0.3,
        thresholdImg: 0.5,
      };
      const expected = plain.ibt(options);
      expect(inModule.ibt(options)).toEqual(expected);
      expect(chosen.ibt(options)).toEqual(expected);
    },
  );

  it.each(near(minScores.threshold))(
    "give the same result of threshold() in the module and outside it: %i scores",
    (length) => {
      const options = { scores: scoresOf(3 + length), offsets: offsetsOf(length), threshold: 0.45 };
      const expected = plain.threshold(options);
      expect(inModule.threshold(options)).toEqual(expected);
      expect(chosen.threshold(options)).toEqual(expected);
    },
  );

  it.each(near(minScores.crossEntropy))(
    "give the same result of crossEntropy() in the module and outside it: %i probabilities of 1, 2 and 5 classes",
    (length) => {
      for (const classes of [1, 2, 5]) {
        const probabilities = scoresOf(length - (length % classes)).map((score) => score / classes);
        const run = (kernels: PerceptionKernels) => {
          const confidences = new Float32Array(probabilities.length / classes);
          return {
            hard: kernels.crossEntropy({ probabilities, classes, threshold: 0.2, confidences }),
            confidences,
          };
        };
        const expected = run(plain);
        for (const { hard, confidences } of [run(inModule), run(chosen)]) {
          expect(hard).toEqual(expected.hard);
          confidences.forEach((value, i) => {
            const exact = expected.confidences[i]!;
            expect(Number.isNaN(value) === Number.isNaN(exact) && !(Math.abs(value - exact) > 1e-5)).toBe(
              true,
            );
          });
        }
      }
    },
  );

  it("run outside the module below the minimum size and in the module from that size", () => {
    let uses = 0;
    const addressOf = () => {
      uses++;
      throw new Error("in the module");
    };
    const miners = filtersBySize({ addressOf } as unknown as PerceptionMemory, minScores);
    const images = (length: number) => ({
      scores: new Float32Array(length + 3),
      offsets: Uint32Array.of(3, length + 3),
      out: new Uint8Array(1),
    });
    const calls = {
      ibt: (length: number) => miners.ibt({ ...images(length), thresholdBox: 0.5, share: 0.5 }),
      threshold: (length: number) => miners.threshold({ ...images(length), threshold: 0.5 }),
      crossEntropy: (length: number) =>
        miners.crossEntropy({
          probabilities: new Float32Array(length),
          classes: 1,
          threshold: 0.5,
          out: new Uint8Array(length),
          confidences: undefined,
        }),
    };
    // An image counts as five scores.
    const least = {
      ibt: minScores.ibt - 5,
      threshold: minScores.threshold - 5,
      crossEntropy: minScores.crossEntropy,
    };
    for (const miner of ["ibt", "threshold", "crossEntropy"] as const) {
      calls[miner](least[miner] - 1);
      expect(() => calls[miner](least[miner])).toThrow("in the module");
    }
    expect(uses).toBe(3);
  });
});
