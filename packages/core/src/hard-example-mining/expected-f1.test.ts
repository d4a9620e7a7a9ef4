import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { agreement } from "../vision/agreement.ts";
import { expectedF1Loss, ExpectedF1 } from "./expected-f1.ts";

type Rows = number[][];
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const records = read("../../../../models/vtest/records.json") as { frames: { little: Rows; big: Rows }[] };
const golden = read("../../golden/expected_f1.json") as Record<string, number[] | number>;
const box = (score: number, x = 0): number[] => [x, 0, x + 10, 20, score, 0];

describe("expectedF1Loss()", () => {
  it.each([
    ["p = score", { slope: 1, decay: 0.9 }],
    ["plain", {}],
    ["calibrated", { slope: 3.2373, offset: 0.8365, decay: 0.6 }],
  ])("matches the study's difficulties on the recorded video (%s)", (name, parameters) => {
    const difficulty = expectedF1Loss(parameters);
    const ours = records.frames.map(({ little }) => difficulty(little));
    expect(ours.length).toBe(795);
    const worst = Math.max(...ours.map((one, i) => Math.abs(one - (golden[name] as number[])[i]!)));
    expect(worst).toBeLessThan(2e-4);
  });

  it("expects no loss for a certain result or an empty one", () => {
    expect(expectedF1Loss()([])).toBe(0);
    expect(expectedF1Loss()([box(0.9999)])).toBeLessThan(0.001);
  });

  it("expects more loss for a less certain shown box, and for a more certain hidden box", () => {
    const loss = (...rows: Rows): number => expectedF1Loss()(rows);
    expect(loss(box(0.4))).toBeGreaterThan(loss(box(0.8)));
    expect(loss(box(0.9), box(0.29, 50))).toBeGreaterThan(loss(box(0.9), box(0.1, 50)));
  });

  it("expects loss for a person who has just disappeared, and forgets the person over time", () => {
    const difficulty = expectedF1Loss();
    difficulty([box(0.9), box(0.9, 50)]);
    const losses = Array.from({ length: 12 }, () => difficulty([box(0.9)]));
    expect(losses[0]).toBeGreaterThan(0.2);
    expect(losses.at(-1)).toBeLessThan(0.05);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  });

  it("does not match boxes of different classes", () => {
    const difficulty = expectedF1Loss();
    difficulty([box(0.9)]);
    expect(difficulty([[0, 0, 10, 20, 0.9, 7]])).toBeGreaterThan(0.2);
  });
});

describe("ExpectedF1", () => {
  it("holds the requested share on the recorded video", () => {
    for (const upload_ratio of [0.1, 0.2, 0.5]) {
      const miner = ExpectedF1({ upload_ratio });
      const share = records.frames.filter(({ little }) => miner(little)).length / records.frames.length;
      expect(Math.abs(share - upload_ratio)).toBeLessThan(0.06);
    }
    const [none, all] = [ExpectedF1({ upload_ratio: 0 }), ExpectedF1({ upload_ratio: "1" })];
    expect(records.frames.slice(0, 50).map(({ little }) => [none(little), all(little)])).toEqual(
      Array.from({ length: 50 }, () => [false, true]),
    );
  });

  it("selects frames that lose more than random ones, on frames outside the calibration set", () => {
    const miner = ExpectedF1();
    const loss = ({ little, big }: { little: Rows; big: Rows }): number =>
      1 -
      agreement({
        found: little.filter((row) => row[4]! >= 0.3),
        reference: big.filter((row) => row[4]! >= 0.45).map((row) => row.slice(0, 4)),
      }).f1;
    const chosen = records.frames.map(({ little }, i) => miner(little) && i >= 530);
    const heldOut = records.frames.slice(530);
    const mean = (frames: typeof heldOut): number =>
      frames.reduce((sum, frame) => sum + loss(frame), 0) / frames.length;
    expect(mean(records.frames.filter((_, i) => chosen[i])) / mean(heldOut)).toBeGreaterThan(1.5);
  });

  it("accepts a fixed threshold instead", () => {
    const miner = ExpectedF1({ threshold: "0.3" });
    expect([miner([box(0.31)]), ExpectedF1({ threshold: 0.3 })([box(0.99)])]).toEqual([true, false]);
  });

  it.each([
    [{ upload_ratio: 1.5 }, "read upload_ratio: expected a number from 0 to 1; got 1.5"],
    [{ upload_ratio: "many" }, 'read upload_ratio: expected a number or a numeric string; got "many"'],
    [{ window: 3 }, "read window: expected a whole number from 10 up; got 3"],
    [{ decay: -1 }, "read decay: expected a number from 0 to 1; got -1"],
    [{ threshold: Number.NaN }, "read threshold: expected a number; got NaN"],
  ])("refuses %o", (parameters, message) => {
    expect(() => ExpectedF1(parameters)).toThrow(message);
  });
});
