import { describe, expect, it } from "vitest";
import { bundleReport } from "./bundle.ts";
import { int8Recall } from "../kernels/cosine.ts";
import { digitsCascade } from "./digits.ts";
import { entropyError } from "../kernels/hem.ts";
import { benchSize } from "../kernels/size.ts";
import { videoGain } from "./video.ts";

// The goals that do not depend on time are also tests. The timed ones are `npm run bench -- goals
// joint|kernels`.

describe("goals of joint inference", () => {
  it("digits: reaches an accuracy of at least .955 with a fifth uploaded, where little and big alone reach about .91 and .965", async () => {
    const { little, big, points } = await digitsCascade([0.2]);
    expect(points[0]!.uploaded).toBeCloseTo(0.2, 2);
    expect(points[0]!.accuracy).toBeGreaterThanOrEqual(0.955);
    expect(little).toBeLessThan(0.93);
    expect(big).toBeGreaterThan(0.96);
  });

  it("video: the miner gains at least 1.5 times as much as random upload on held-out frames", async () => {
    const { ratio, uploaded } = await videoGain();
    expect(uploaded).toBe(0.2);
    expect(ratio).toBeGreaterThanOrEqual(1.5);
  });

  it("a new Vite app of ten lines builds without a warning and contains at most 40 KB of this package", async () => {
    const { ourKb, ourCode, warnings } = await bundleReport();
    expect(warnings).toEqual([]);
    expect(ourKb).toBeLessThanOrEqual(40);
    expect(ourKb).toBeGreaterThan(5);
    // The bundler removes what the app does not use: galleries on a GPU, averaging, training.
    for (const unused of ["@compute", "weightedMean", "headTrainer", "frameDifference"])
      expect(ourCode).not.toContain(unused);
  }, 60_000);
});

describe("goals of the kernels", () => {
  it("each WebAssembly module has at most 8 KB, gzipped", async () => {
    const modules = (await benchSize()).filter(({ metric }) => metric.endsWith("gzip -9"));
    expect(modules.map(({ metric }) => metric.split(".")[0])).toEqual([
      "perception",
      "tracking",
      "training",
      "vectors-relaxed",
      "vectors",
    ]);
    for (const { value } of modules) expect(value).toBeLessThanOrEqual(8);
  });

  it("int8 with exact re-ranking finds at least 999 of 1000 of the ten best rows", async () => {
    expect(await int8Recall()).toBeGreaterThanOrEqual(0.999);
  }, 60_000);

  it("the confidences of CrossEntropy have an error of at most 1e-6", async () => {
    expect(await entropyError()).toBeLessThanOrEqual(1e-6);
  });
});
