import { createJointInference, type BigModelCall, type Detections, type Frame } from "@sedna-js/core";
import { decodeWithSharp, type SharpModule } from "@sedna-js/core/adapters/sharp";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { detector } from "../../../../testing/servers/served.ts";
import { frameOfPixels } from "../frames/platform.node.ts";
import type { PrivacyLevel, PrivacyPolicy } from "./privacy-policy.ts";
import { privateBigModel } from "./private-big-model.ts";
import { sampleForQueue } from "./sample-for-queue.ts";

// A frame of 120 x 80 pixels: black and white stripes one pixel wide where the person is, gray elsewhere.

const person = [20, 10, 60, 70, 0.9, 0] as const;
const rows: Detections = [person];
const isInside = (x: number, y: number): boolean => x >= 20 && x < 60 && y >= 10 && y < 70;
const striped = Uint8ClampedArray.from({ length: 4 * 120 * 80 }, (_, i) => {
  const [x, y] = [(i >> 2) % 120, Math.floor((i >> 2) / 120)];
  return i % 4 === 3 ? 255 : isInside(x, y) ? (x % 2) * 255 : 90;
});
const makeFrame = async (): Promise<Frame & { reads: number; closed: number }> => {
  const inner = await frameOfPixels({ width: 120, height: 80, data: striped }, { timestamp: 7 });
  const accepted = {
    ...inner,
    reads: 0,
    closed: 0,
    copyTo: (target: Uint8ClampedArray) => (accepted.reads++, inner.copyTo(target)),
    encode: (options: Parameters<Frame["encode"]>[0]) => (accepted.reads++, inner.encode(options)),
    close: () => void accepted.closed++,
  };
  return accepted;
};
const pixelsOf = async (frame: Frame): Promise<Uint8ClampedArray> => {
  const data = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(data);
  return data;
};
const call = (edgeResult: Detections | null = rows): BigModelCall<Detections> => ({
  signal: new AbortController().signal,
  deadlineMs: 1000,
  edgeResult,
});
/** A big model that records the frames it receives. */
const watching = (answer: Detections = [[1, 2, 3, 4, 0.5, 1]]) => {
  const shown: { width: number; height: number; timestamp: number; data: Uint8ClampedArray }[] = [];
  return {
    shown,
    inference: async (frame: Frame) => (
      shown.push({
        width: frame.width,
        height: frame.height,
        timestamp: frame.timestamp,
        data: await pixelsOf(frame),
      }),
      answer
    ),
  };
};
/** Counts neighboring pixels that differ by more than half the range, which are the stripes. */
const edges = (data: Uint8ClampedArray, width: number): number =>
  data.filter((value, i) => i % 4 === 0 && (i >> 2) % width > 0 && Math.abs(value - data[i - 4]!) > 128)
    .length;

describe("privateBigModel()", () => {
  it.each<[string, PrivacyPolicy<Frame, Detections>, Detections | null]>([
    ["never", { level: "never" }, rows],
    ["features", { level: "features" }, rows],
    ["full without consent", { level: "full", consent: () => false }, rows],
    [
      "full with a consent that throws",
      {
        level: "full",
        consent: () => {
          throw new Error("no register");
        },
      },
      rows,
    ],
    [
      "full with a consent that returns a promise",
      { level: "full", consent: (() => Promise.resolve(false)) as never },
      rows,
    ],
    ["blurred without a result of the little model", { level: "blurred" }, null],
    ["crop without a result of the little model", { level: "crop" }, null],
    ["crop without any detection", { level: "crop" }, []],
    ["blurred with a box that contains NaN", { level: "blurred" }, [[Number.NaN, 0, 5, 5, 1, 0]]],
    ["blurred with an inverted box", { level: "blurred", regions: () => [[9, 9, 1, 1]] }, rows],
    [
      "blurred with regions that throw",
      {
        level: "blurred",
        regions: () => {
          throw new Error("bug");
        },
      },
      rows,
    ],
    ["an unknown level", { level: "some" as PrivacyLevel }, rows],
  ])("forbids %s before any pixel is read", async (_, policy, result) => {
    const [model, frame] = [watching(), await makeFrame()];
    await expect(privateBigModel(model, policy).inference(frame, call(result))).rejects.toMatchObject({
      code: "privacy-forbids",
      retryable: false,
    });
    expect([model.shown, frame.reads, frame.closed]).toEqual([[], 0, 0]);
  });

  it("passes the whole frame with full and does not close it", async () => {
    const [model, frame] = [watching(), await makeFrame()];
    expect(await privateBigModel(model, { level: "full" }).inference(frame, call(null))).toEqual([
      [1, 2, 3, 4, 0.5, 1],
    ]);
    expect([model.shown[0]!.data, frame.closed]).toEqual([striped, 0]);
  });

  it("hides the person with blurred and returns boxes in the frame's pixels", async () => {
    const [model, frame] = [watching(), await makeFrame()];
    expect(await privateBigModel(model, { level: "blurred" }).inference(frame, call())).toEqual([
      [1, 2, 3, 4, 0.5, 1],
    ]);
    const [{ width, height, timestamp, data }] = model.shown as [(typeof model.shown)[0]];
    expect([width, height, timestamp]).toEqual([120, 80, 7]);
    expect([edges(striped, 120), edges(data, 120)]).toEqual([
      expect.toSatisfy((count: number) => count > 2000),
      0,
    ]);
    expect(data.slice(0, 4 * 120 * 4)).toEqual(striped.slice(0, 4 * 120 * 4));
    // The original frame, which the page may show, is unchanged.
    expect(await pixelsOf(frame)).toEqual(striped);
  });

  it("passes the person with a margin with crop and shifts the resulting boxes back", async () => {
    const [model, frame] = [watching(), await makeFrame()];
    expect(await privateBigModel(model, { level: "crop" }).inference(frame, call())).toEqual([
      [1 + 14, 2 + 4, 3 + 14, 4 + 4, 0.5, 1],
    ]);
    const [{ width, height, data }] = model.shown as [(typeof model.shown)[0]];
    expect([width, height]).toEqual([52, 72]);
    expect(edges(data, width)).toBeGreaterThan(2000);
    expect(data[4 * (6 * 52 + 6)]).toBe(striped[4 * (10 * 120 + 20)]);
  });

  it("uses the policy's own regions, even without a result of the little model", async () => {
    const [model, frame] = [watching(), await makeFrame()];
    const regions = (_: Frame, result: Detections | null): readonly (readonly number[])[] =>
      result === null
        ? [
            [0, 0, 10, 10],
            [100, 60, 500, 500],
            [-50, -50, -10, -10],
          ]
        : [];
    await privateBigModel(model, { level: "crop", regions }).inference(frame, call(null));
    expect([model.shown[0]!.width, model.shown[0]!.height]).toEqual([120, 80]);
  });

  it("does not call the big model if the caller aborts while the pixels are hidden", async () => {
    const [model, frame, left] = [watching(), await makeFrame(), new AbortController()];
    const asking = privateBigModel(model, { level: "blurred" }).inference(frame, {
      ...call(),
      signal: left.signal,
    });
    left.abort(new Error("left"));
    await expect(asking).rejects.toThrow("left");
    expect(model.shown).toEqual([]);
  });

  it("uses the little model's detections in joint inference and counts a forbidden frame as a fallback, not as an offload", async () => {
    const model = watching([[0, 0, 1, 1, 0.5, 1]]);
    const estimator = detector(async () => rows);
    const crop = createJointInference({
      estimator,
      hardExampleMining: () => true,
      bigModel: privateBigModel(model, { level: "crop" }),
    });
    expect(await crop.inference(await makeFrame())).toMatchObject({
      source: "cloud",
      result: [[14, 4, 15, 5, 0.5, 1]],
    });
    crop.update({ policy: "cloud-first" });
    expect(await crop.inference(await makeFrame())).toMatchObject({
      source: "fallback",
      reason: "privacy-forbids",
      result: rows,
    });
    expect([model.shown.length, crop.status().offloadedNumber]).toEqual([1, 1]);
  });
});

describe("sampleForQueue()", () => {
  const importSharp = async (): Promise<SharpModule> => sharp as unknown as SharpModule;

  it("returns undefined with never, without consent, and with features of a frame without a result", async () => {
    const frame = await makeFrame();
    for (const policy of [{ level: "never" }, { level: "full", consent: () => false }] as const)
      expect(await sampleForQueue({ frame, result: rows, policy })).toBeUndefined();
    expect(await sampleForQueue({ frame, result: null, policy: { level: "features" } })).toBeUndefined();
    expect(frame.reads).toBe(0);
  });

  it("returns numbers and no pixels with features", async () => {
    const frame = await makeFrame();
    const ofRows = await sampleForQueue({ frame, result: rows, policy: { level: "features" } });
    expect({ ...ofRows, bytes: new TextDecoder().decode(ofRows!.bytes) }).toEqual({
      kind: "features",
      contentType: "application/json",
      bytes: '{"result":[[20,10,60,70,0.9,0]]}',
      width: 120,
      height: 80,
    });
    const ofClasses = await sampleForQueue({
      frame,
      result: Float32Array.of(0.25, 0.75),
      policy: { level: "features" },
    });
    expect(new TextDecoder().decode(ofClasses!.bytes)).toBe('{"result":[0.25,0.75]}');
    expect(frame.reads).toBe(0);
  });

  it.each<[PrivacyLevel, [number, number], boolean]>([
    ["full", [120, 80], true],
    ["crop", [52, 72], true],
    ["blurred", [120, 80], false],
  ])("returns an image with %s", async (level, size, hasStripes) => {
    const sample = await sampleForQueue({
      frame: await makeFrame(),
      result: rows,
      policy: { level },
      image: { type: "image/png" },
    });
    expect([sample!.kind, sample!.contentType, sample!.width, sample!.height]).toEqual([
      level,
      "image/png",
      ...size,
    ]);
    const decoded = await decodeWithSharp(sample!.bytes, importSharp);
    expect([decoded.width, decoded.height]).toEqual(size);
    expect(edges(await pixelsOf(decoded), decoded.width) > 100).toBe(hasStripes);
  });

  it("rejects if there is no region to crop to", async () => {
    await expect(
      sampleForQueue({ frame: await makeFrame(), result: null, policy: { level: "crop" } }),
    ).rejects.toMatchObject({ code: "privacy-forbids" });
  });
});
