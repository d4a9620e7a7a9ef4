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
  it("answers an easy sample at the edge and does not ask the cloud", async () => {
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

  it("takes the cloud's answer to a hard sample, and keeps the edge's beside it", async () => {
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

  it("falls back on the edge's answer when the cloud fails, and stays hard", async () => {
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

  it("falls back at the deadline when the cloud never answers", async () => {
    const result = await joint({ bigModel: never, deadlineMs: 20 }).inference("hard");
    expect(result).toMatchObject({ source: "fallback", reason: "cloud-timeout", result: row(0.1) });
  });

  it("says so when a hard sample has no big model", async () => {
    expect(await joint({ bigModel: undefined }).inference("hard")).toMatchObject({
      source: "fallback",
      reason: "no-big-model",
      isHardExample: true,
    });
  });

  it("keeps the edge's answer when the miner throws, and says so", async () => {
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

  it("asks the cloud about a sample on which the little model fails, and rejects with its error when both do", async () => {
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
    expect(both.stats()).toMatchObject({ inferenceNumber: 0, failedNumber: 1 });
  });

  it("does not send what is no sample", async () => {
    const inference = vi.fn();
    const refusing = estimator(() =>
      Promise.reject(new RangeError("expected a picture of at least 1x1; got 0x0")),
    );
    await expect(joint({ estimator: refusing, bigModel: cloud(inference) }).inference("x")).rejects.toThrow(
      RangeError,
    );
    expect(inference).not.toHaveBeenCalled();
  });

  it("without a miner finds nothing hard, as Sedna", async () => {
    expect(await joint({ hardExampleMining: undefined }).inference("hard")).toMatchObject({
      isHardExample: false,
      source: "edge",
    });
  });
});

describe("mining-then-inference", () => {
  const mode = "mining-then-inference" as const;
  const byName = (sample: string): boolean => sample === "hard";

  it("sends a hard sample to the cloud alone and unwraps its answer", async () => {
    const predict = vi.fn(() => row(0.9));
    const result = await joint({ mode, hardExampleMining: byName, estimator: estimator(predict) }).inference(
      "hard",
    );
    expect(result).toMatchObject({ source: "cloud", result: row(0.99), edgeResult: null });
    expect(predict).not.toHaveBeenCalled();
  });

  it("answers an easy sample at the edge alone", async () => {
    expect(await joint({ mode, hardExampleMining: byName }).inference("easy")).toMatchObject({
      source: "edge",
      cloudResult: null,
      result: row(0.9),
    });
  });

  it("asks the edge after all when the cloud fails", async () => {
    expect(
      await joint({ mode, hardExampleMining: byName, bigModel: broken }).inference("hard"),
    ).toMatchObject({ source: "fallback", result: row(0.1), edgeResult: row(0.1) });
  });

  it("needs a miner", () => {
    expect(() => joint({ mode, hardExampleMining: undefined })).toThrow(
      "expected hardExampleMining; got none",
    );
  });
});

describe("policies", () => {
  it("edge-only never asks the cloud or the miner", async () => {
    const miner = vi.fn(() => true);
    expect(await joint({ policy: "edge-only", hardExampleMining: miner }).inference("hard")).toMatchObject({
      source: "edge",
      reason: "policy",
      isHardExample: false,
    });
    expect(miner).not.toHaveBeenCalled();
  });

  it("cloud-only never asks the edge, and rejects when the cloud does not answer", async () => {
    const predict = vi.fn(() => row(0.9));
    const only = joint({ policy: "cloud-only", estimator: estimator(predict) });
    expect(await only.inference("easy")).toMatchObject({ source: "cloud", edgeResult: null });
    only.update({ bigModel: broken });
    await expect(only.inference("easy")).rejects.toMatchObject({ code: "cloud-unreachable" });
    expect(predict).not.toHaveBeenCalled();
    expect(only.stats()).toMatchObject({ inferenceNumber: 1, failedNumber: 1 });
  });

  it("cloud-first asks the cloud about every sample and falls back on the edge at the deadline", async () => {
    const first = joint({ policy: "cloud-first", deadlineMs: 20 });
    expect(await first.inference("easy")).toMatchObject({ source: "cloud", edgeResult: row(0.9) });
    first.update({ bigModel: never });
    expect(await first.inference("easy")).toMatchObject({
      source: "fallback",
      reason: "cloud-timeout",
      result: row(0.9),
    });
  });

  it("cloud-first asks both at once, and takes the cloud's answer when the edge fails", async () => {
    const failing = estimator(() => Promise.reject(new Error("no memory")));
    expect(await joint({ policy: "cloud-first", estimator: failing }).inference("easy")).toMatchObject({
      source: "cloud",
      edgeResult: null,
    });
    await expect(
      joint({ policy: "cloud-first", estimator: failing, bigModel: broken }).inference("easy"),
    ).rejects.toThrow("no memory");
  });

  it("edge-first answers at once and lets the cloud's answer follow", async () => {
    const first = joint({ policy: "edge-first" });
    const now = await first.inference("hard");
    expect(now).toMatchObject({ source: "edge", final: false, result: row(0.1) });
    expect(await now.followUp).toMatchObject({
      source: "cloud",
      final: true,
      result: row(0.99),
      index: now.index,
    });
    expect(first.stats()).toMatchObject({
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

  it("can be chosen for one sample", async () => {
    const one = joint();
    expect(await one.inference("hard", { policy: "edge-only" })).toMatchObject({ source: "edge" });
    expect(await one.inference("hard")).toMatchObject({ source: "cloud" });
  });
});

describe("statistics", () => {
  it("counts each sample once, where Sedna counts an uploaded one twice", async () => {
    const accepted = joint();
    for (const sample of ["easy", "hard", "hard", "easy"]) await accepted.inference(sample);
    expect(accepted.stats()).toMatchObject({
      inferenceNumber: 4,
      hardExampleNumber: 2,
      uploadCloudRatio: 0.5,
      offloadedNumber: 2,
      cloudNumber: 2,
      bytesUp: 200,
      bytesDown: 20,
    });
  });

  it("does not count as sent what an open circuit refused, and counts the bytes of tries that failed", async () => {
    const open = joint({
      bigModel: cloud(() => Promise.reject(new SednaError("open", { code: "circuit-open" }))),
    });
    await open.inference("hard");
    expect(open.stats()).toMatchObject({ hardExampleNumber: 1, offloadedNumber: 0, fallbackNumber: 1 });
    const failing = joint({
      bigModel: cloud(async (_, { onTransfer }) => {
        onTransfer?.({ up: 70, down: 0 });
        throw new SednaError("cut", { code: "cloud-unreachable" });
      }),
    });
    await failing.inference("hard");
    expect(failing.stats()).toMatchObject({ offloadedNumber: 1, fallbackNumber: 1, bytesUp: 70 });
  });

  it("has a ratio of 0, not NaN, before the first sample", () => {
    expect(joint().stats().uploadCloudRatio).toBe(0);
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
    [{ hardExampleMining: "IBT" }, 'expected a miner, as select() builds it; got "IBT"'],
    [{ bigModel: "http://cloud" }, 'expected an object with inference(); got "http://cloud"'],
    [{ deadlineMs: Number.NaN }, "expected a positive number of milliseconds below 2147483648; got NaN"],
    [{ deadlineMs: Infinity }, "expected a positive number of milliseconds below 2147483648; got Infinity"],
    [{ maxOffloads: 0 }, "expected at least 1; got 0"],
  ])("%o is refused with what was expected", (patch, message) => {
    expect(() => joint(patch as never)).toThrow(message);
    const settled = joint();
    expect(() => settled.update(patch as never)).toThrow(message);
  });

  it("leave the settings as they were", async () => {
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
