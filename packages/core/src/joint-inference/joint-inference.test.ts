import { describe, expect, it, vi } from "vitest";
import { SednaError } from "../errors.ts";
import type { Estimator } from "../estimator/estimator.ts";
import { hardExampleMining } from "../hard-example-mining/hard-example-mining.ts";
import { select } from "../select.ts";
import { createJointInference } from "./joint-inference.ts";
import type { BigModel, JointInferenceOptions, JointPatch } from "./types.ts";

type Rows = number[][];

const estimator = (predict: (sample: string) => Rows | Promise<Rows>): Estimator<string, Rows> => ({
  load: async () => ({ kind: "tensors", inputs: [], outputs: [], backend: "test" }),
  predict: async (sample) => predict(sample),
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
});
const row = (score: number): Rows => [[0, 0, 5, 5, score, 0]];
const edge = estimator((sample) => row(sample.startsWith("hard") ? 0.1 : 0.9));
const cloud = (
  inference: BigModel<string, Rows>["inference"] = async (_, { onTransfer }) => (
    onTransfer?.({ up: 100, down: 10 }),
    row(0.99)
  ),
): BigModel<string, Rows> => ({ inference });
const never = cloud(() => new Promise(() => {}));
const broken = cloud(() =>
  Promise.reject(new SednaError("no route", { code: "cloud-unreachable", retryable: true })),
);
const IBT = select(hardExampleMining, { method: "IBT" });
const joint = (options: JointPatch<string, Rows> = {}) =>
  createJointInference<string, Rows>({
    estimator: edge,
    hardExampleMining: IBT,
    bigModel: cloud(),
    ...options,
  } as JointInferenceOptions<string, Rows>);

describe("inference-then-mining", () => {
  it("returns the edge's result for an easy sample and does not call the cloud", async () => {
    const inference = vi.fn();
    const result = await joint({ bigModel: cloud(inference) }).inference("easy");
    expect(result).toMatchObject({
      isHardExample: false,
      source: "edge",
      reason: "easy",
      result: row(0.9),
      cloudResult: null,
      bytes: { up: 0, down: 0 },
    });
    expect(inference).not.toHaveBeenCalled();
  });

  it("returns the cloud's result for a hard sample, and the edge's result beside it", async () => {
    const result = await joint().inference("hard");
    expect(result).toMatchObject({
      isHardExample: true,
      source: "cloud",
      reason: "hard",
      result: row(0.99),
      edgeResult: row(0.1),
      cloudResult: row(0.99),
      bytes: { up: 100, down: 10 },
    });
  });

  it("falls back to the edge's result if the cloud fails, and keeps the sample hard", async () => {
    const result = await joint({ bigModel: broken }).inference("hard");
    expect(result).toMatchObject({
      isHardExample: true,
      source: "fallback",
      reason: "cloud-unreachable",
      result: row(0.1),
      cloudResult: null,
    });
    expect(result.error).toBeInstanceOf(SednaError);
  });

  it("falls back at the deadline if the cloud never responds", async () => {
    const result = await joint({ bigModel: never, deadlineMs: 20 }).inference("hard");
    expect(result).toMatchObject({ source: "fallback", reason: "cloud-timeout", result: row(0.1) });
  });

  it("reports a hard sample without a big model", async () => {
    expect(await joint({ bigModel: undefined }).inference("hard")).toMatchObject({
      source: "fallback",
      reason: "no-big-model",
      isHardExample: true,
    });
  });

  it("keeps the edge's result and reports the error if the miner throws", async () => {
    const broken = (): boolean => {
      throw new TypeError("a miner's bug");
    };
    expect(await joint({ hardExampleMining: broken }).inference("easy")).toMatchObject({
      source: "edge",
      reason: "miner-failed",
      result: row(0.9),
      error: new TypeError("a miner's bug"),
    });
  });

  it("calls the cloud if the little model fails, and rejects with its error if both fail", async () => {
    const failing = estimator(() =>
      Promise.reject(new SednaError("device lost", { code: "run-failed", retryable: true })),
    );
    expect(await joint({ estimator: failing }).inference("x")).toMatchObject({
      source: "cloud",
      reason: "run-failed",
      result: row(0.99),
      edgeResult: null,
    });
    const both = joint({ estimator: failing, bigModel: broken });
    await expect(both.inference("x")).rejects.toThrow("device lost");
    expect(both.status()).toMatchObject({ inferenceNumber: 0, failedNumber: 1 });
  });

  it("does not send an invalid sample", async () => {
    const inference = vi.fn();
    const refusing = estimator(() =>
      Promise.reject(new RangeError("expected a picture of at least 1x1; got 0x0")),
    );
    await expect(joint({ estimator: refusing, bigModel: cloud(inference) }).inference("x")).rejects.toThrow(
      RangeError,
    );
    expect(inference).not.toHaveBeenCalled();
  });

  it("marks nothing as hard without a miner, as Sedna does", async () => {
    expect(await joint({ hardExampleMining: undefined }).inference("hard")).toMatchObject({
      isHardExample: false,
      source: "edge",
    });
  });
});

describe("mining-then-inference", () => {
  const mode = "mining-then-inference" as const;
  const byName = (sample: string): boolean => sample === "hard";

  it("sends a hard sample to the cloud only and returns its result", async () => {
    const predict = vi.fn(() => row(0.9));
    const result = await joint({ mode, hardExampleMining: byName, estimator: estimator(predict) }).inference(
      "hard",
    );
    expect(result).toMatchObject({ source: "cloud", result: row(0.99), edgeResult: null });
    expect(predict).not.toHaveBeenCalled();
  });

  it("processes an easy sample at the edge only", async () => {
    expect(await joint({ mode, hardExampleMining: byName }).inference("easy")).toMatchObject({
      source: "edge",
      cloudResult: null,
      result: row(0.9),
    });
  });

  it("runs the edge model if the cloud fails", async () => {
    expect(
      await joint({ mode, hardExampleMining: byName, bigModel: broken }).inference("hard"),
    ).toMatchObject({ source: "fallback", result: row(0.1), edgeResult: row(0.1) });
  });

  it("requires a miner", () => {
    expect(() => joint({ mode, hardExampleMining: undefined })).toThrow(
      "expected hardExampleMining; got none",
    );
  });
});

describe("policies", () => {
  it("edge-only never calls the cloud or the miner", async () => {
    const miner = vi.fn(() => true);
    expect(await joint({ policy: "edge-only", hardExampleMining: miner }).inference("hard")).toMatchObject({
      source: "edge",
      reason: "policy",
      isHardExample: false,
    });
    expect(miner).not.toHaveBeenCalled();
  });

  it("cloud-only never runs the edge model, and rejects if the cloud does not respond", async () => {
    const predict = vi.fn(() => row(0.9));
    const only = joint({ policy: "cloud-only", estimator: estimator(predict) });
    expect(await only.inference("easy")).toMatchObject({ source: "cloud", edgeResult: null });
    only.update({ bigModel: broken });
    await expect(only.inference("easy")).rejects.toMatchObject({ code: "cloud-unreachable" });
    expect(predict).not.toHaveBeenCalled();
    expect(only.status()).toMatchObject({ inferenceNumber: 1, failedNumber: 1 });
  });

  it("cloud-first calls the cloud for every sample and falls back to the edge at the deadline", async () => {
    const first = joint({ policy: "cloud-first", deadlineMs: 20 });
    expect(await first.inference("easy")).toMatchObject({ source: "cloud", edgeResult: row(0.9) });
    first.update({ bigModel: never });
    expect(await first.inference("easy")).toMatchObject({
      source: "fallback",
      reason: "cloud-timeout",
      result: row(0.9),
    });
  });

  it("cloud-first calls both sides at once, and returns the cloud's result if the edge fails", async () => {
    const failing = estimator(() => Promise.reject(new Error("no memory")));
    expect(await joint({ policy: "cloud-first", estimator: failing }).inference("easy")).toMatchObject({
      source: "cloud",
      edgeResult: null,
    });
    await expect(
      joint({ policy: "cloud-first", estimator: failing, bigModel: broken }).inference("easy"),
    ).rejects.toThrow("no memory");
  });

  it("edge-first returns the edge's result at once and the cloud's result as a follow-up", async () => {
    const first = joint({ policy: "edge-first" });
    const now = await first.inference("hard");
    expect(now).toMatchObject({ source: "edge", final: false, result: row(0.1) });
    expect(await now.followUp).toMatchObject({
      source: "cloud",
      final: true,
      result: row(0.99),
      index: now.index,
    });
    expect(first.status()).toMatchObject({
      inferenceNumber: 1,
      hardExampleNumber: 1,
      cloudNumber: 1,
      bytesUp: 100,
    });
  });

  it("edge-first's follow-up never rejects", async () => {
    const now = await joint({ policy: "edge-first", bigModel: broken }).inference("hard");
    expect(await now.followUp).toMatchObject({ source: "fallback", reason: "cloud-unreachable" });
  });

  it("can be set for a single sample", async () => {
    const one = joint();
    expect(await one.inference("hard", { policy: "edge-only" })).toMatchObject({ source: "edge" });
    expect(await one.inference("hard")).toMatchObject({ source: "cloud" });
  });
});

describe("statistics", () => {
  it("counts each sample once; Sedna counts an uploaded sample twice", async () => {
    const accepted = joint();
    for (const sample of ["easy", "hard", "hard", "easy"]) await accepted.inference(sample);
    expect(accepted.status()).toMatchObject({
      inferenceNumber: 4,
      hardExampleNumber: 2,
      uploadCloudRatio: 0.5,
      offloadedNumber: 2,
      cloudNumber: 2,
      bytesUp: 200,
      bytesDown: 20,
    });
  });

  it("does not count a sample as offloaded if an open circuit rejects it, and counts the bytes of failed attempts", async () => {
    const open = joint({
      bigModel: cloud(() => Promise.reject(new SednaError("open", { code: "circuit-open" }))),
    });
    await open.inference("hard");
    expect(open.status()).toMatchObject({ hardExampleNumber: 1, offloadedNumber: 0, fallbackNumber: 1 });
    const failing = joint({
      bigModel: cloud(async (_, { onTransfer }) => {
        onTransfer?.({ up: 70, down: 0 });
        throw new SednaError("cut", { code: "cloud-unreachable" });
      }),
    });
    await failing.inference("hard");
    expect(failing.status()).toMatchObject({ offloadedNumber: 1, fallbackNumber: 1, bytesUp: 70 });
  });

  it("has a ratio of 0, not NaN, before the first sample", () => {
    expect(joint().status().uploadCloudRatio).toBe(0);
  });
});

describe("bad settings", () => {
  it.each([
    [
      { policy: "fastest" },
      'expected one of joint, edge-first, cloud-first, edge-only, cloud-only; got "fastest"',
    ],
    [{ mode: "both" }, 'expected one of inference-then-mining, mining-then-inference; got "both"'],
    [{ estimator: {} }, "expected an object with predict(); got an object"],
    [{ hardExampleMining: "IBT" }, 'expected a miner, as select() returns it; got "IBT"'],
    [{ bigModel: "http://cloud" }, 'expected an object with inference(); got "http://cloud"'],
    [{ deadlineMs: Number.NaN }, "expected a positive number of milliseconds below 2147483648; got NaN"],
    [{ deadlineMs: Infinity }, "expected a positive number of milliseconds below 2147483648; got Infinity"],
    [{ maxOffloads: 0 }, "expected at least 1; got 0"],
  ])("%o is rejected with a message that names the expected value", (patch, message) => {
    expect(() => joint(patch as never)).toThrow(message);
    const settled = joint();
    expect(() => settled.update(patch as never)).toThrow(message);
  });

  it("leave the settings unchanged", async () => {
    const settled = joint();
    expect(() => settled.update({ deadlineMs: -1 })).toThrow(RangeError);
    expect(await settled.inference("hard")).toMatchObject({ source: "cloud" });
  });
});

describe("abort", () => {
  it("stops a sample that waits for the cloud", async () => {
    const controller = new AbortController();
    const waiting = joint({ bigModel: never, deadlineMs: 60_000 }).inference("hard", {
      signal: controller.signal,
    });
    controller.abort(new Error("the user left"));
    await expect(waiting).rejects.toThrow("the user left");
  });
});
