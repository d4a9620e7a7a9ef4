import { describe, expect, it } from "vitest";
import { bundleReport } from "./bundle.ts";
import { digitsCascade } from "./digits.ts";
import { videoGain } from "./video.ts";

// The goals that do not hang on a clock are tests too; the timed ones are `npm run bench -- goals joint`.

describe("goals of joint inference", () => {
  it("digits: with a fifth uploaded at least .955 right, where little and big alone have about .91 and .965", async () => {
    const { little, big, points } = await digitsCascade([0.2]);
    expect(points[0]!.uploaded).toBeCloseTo(0.2, 2);
    expect(points[0]!.accuracy).toBeGreaterThanOrEqual(0.955);
    expect(little).toBeLessThan(0.93);
    expect(big).toBeGreaterThan(0.96);
  });

  it("video: the miner gains at least 1.5 times what random upload gains, on held-out frames", async () => {
    const { ratio, uploaded } = await videoGain();
    expect(uploaded).toBe(0.2);
    expect(ratio).toBeGreaterThanOrEqual(1.5);
  });

  it("a new Vite app of ten lines builds without a warning and carries at most 40 KB of ours", async () => {
    const { ourKb, warnings } = await bundleReport();
    expect(warnings).toEqual([]);
    expect(ourKb).toBeLessThanOrEqual(40);
    expect(ourKb).toBeGreaterThan(5);
  }, 60_000);
});
