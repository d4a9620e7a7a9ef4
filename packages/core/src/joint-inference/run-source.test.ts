import { describe, expect, it } from "vitest";
import type { Estimator } from "../estimator/estimator.ts";
import { createJointInference } from "./joint-inference.ts";
import type { BigModel, JointInferenceOptions, JointPatch, JointResult, SampleSource } from "./types.ts";

/** A frame that counts how often it is closed. */
interface TestFrame {
  readonly id: number;
  readonly hard: boolean;
  closed: number;
  close(): void;
}
const frame = (id: number, hard = false): TestFrame => ({
  id,
  hard,
  closed: 0,
  close() {
    this.closed++;
  },
});
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const estimator = (
  predict: (sample: TestFrame) => Promise<string> = async () => "edge",
): Estimator<TestFrame, string> => ({
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
  predict,
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
});
const cloud = (ms = 0): BigModel<TestFrame, string> => ({ inference: async () => (await wait(ms), "cloud") });
const joint = (options: JointPatch<TestFrame, string> = {}) =>
  createJointInference<TestFrame, string>({
    estimator: estimator(),
    mode: "mining-then-inference",
    hardExampleMining: (sample: TestFrame) => sample.hard,
    bigModel: cloud(),
    ...options,
  } as JointInferenceOptions<TestFrame, string>);

async function* stored(frames: readonly TestFrame[]): AsyncGenerator<TestFrame> {
  yield* frames;
}
/** Creates a camera: a frame every `everyMs`, whether or not the consumer waits for it. */
function live(frames: readonly TestFrame[], everyMs: number): SampleSource<TestFrame> {
  return {
    live: true,
    async *[Symbol.asyncIterator]() {
      for (const one of frames) {
        yield one;
        await wait(everyMs);
      }
    },
  };
}
async function all(
  results: AsyncIterable<JointResult<string, TestFrame>>,
): Promise<JointResult<string, TestFrame>[]> {
  const list: JointResult<string, TestFrame>[] = [];
  for await (const result of results) list.push(result);
  return list;
}

describe("run()", () => {
  it("returns a result for every sample of a stored source and closes each sample once", async () => {
    const frames = Array.from({ length: 20 }, (_, i) => frame(i, i % 3 === 0));
    const results = await all(joint().run(stored(frames)));
    expect(results.map(({ sample }) => sample.id).toSorted((a, b) => a - b)).toEqual(
      frames.map(({ id }) => id),
    );
    expect(frames.every(({ closed }) => closed === 1)).toBe(true);
  });

  it("processes the latest live frame, counts dropped frames, and closes every frame once", async () => {
    const frames = Array.from({ length: 30 }, (_, i) => frame(i));
    const slow = joint({ estimator: estimator(async () => (await wait(25), "edge")) });
    const results = await all(slow.run(live(frames, 5)));
    const { inferenceNumber, droppedNumber } = slow.status();
    expect(inferenceNumber).toBe(results.length);
    expect(droppedNumber).toBeGreaterThan(5);
    expect(inferenceNumber + droppedNumber).toBe(30);
    expect(frames.every(({ closed }) => closed === 1)).toBe(true);
    expect(results.at(-1)!.sample.id).toBe(29);
  });

  it("does not wait for a slow cloud: later frames overtake a hard one", async () => {
    const frames = [frame(0, true), ...Array.from({ length: 5 }, (_, i) => frame(i + 1))];
    const results = await all(joint({ bigModel: cloud(60) }).run(live(frames, 5)));
    expect(results.at(-1)).toMatchObject({ source: "cloud", sample: { id: 0 } });
    expect(results.filter(({ source }) => source === "edge").length).toBeGreaterThanOrEqual(4);
  });

  it("keeps the edge's result for a live frame if maxOffloads uploads are in progress", async () => {
    const frames = Array.from({ length: 6 }, (_, i) => frame(i, true));
    const results = await all(
      joint({
        mode: "inference-then-mining",
        hardExampleMining: () => true,
        bigModel: cloud(80),
        maxOffloads: 1,
      }).run(live(frames, 5)),
    );
    expect(results.filter(({ reason }) => reason === "offload-busy").length).toBeGreaterThan(0);
    expect(frames.every(({ closed }) => closed === 1)).toBe(true);
  });

  it("does not wait in mining-then-inference either: the edge processes what the busy cloud cannot", async () => {
    const frames = Array.from({ length: 12 }, (_, i) => frame(i, true));
    const results = await all(joint({ bigModel: cloud(200), maxOffloads: 1 }).run(live(frames, 5)));
    expect(
      results.filter(({ source, reason }) => source === "fallback" && reason === "offload-busy").length,
    ).toBeGreaterThanOrEqual(8);
    expect(frames.every(({ closed }) => closed === 1)).toBe(true);
  });

  it("drops the samples that a busy cloud cannot process under cloud-only", async () => {
    const frames = Array.from({ length: 12 }, (_, i) => frame(i));
    const only = joint({ policy: "cloud-only", bigModel: cloud(40), maxOffloads: 1 });
    const results = await all(only.run(live(frames, 5)));
    expect(results.every(({ source }) => source === "cloud")).toBe(true);
    expect(results.length + only.status().droppedNumber).toBe(12);
    expect(frames.every(({ closed }) => closed === 1)).toBe(true);
  });

  it("does not read the source if it is aborted beforehand", async () => {
    const touched: SampleSource<TestFrame> = {
      live: true,
      [Symbol.asyncIterator]: () => {
        throw new Error("touched");
      },
    };
    await expect(
      all(joint().run(touched, { signal: AbortSignal.abort(new Error("too late")) })),
    ).rejects.toThrow("too late");
  });

  it("waits for a free upload slot if every sample must be processed", async () => {
    const frames = Array.from({ length: 6 }, (_, i) => frame(i, true));
    const results = await all(joint({ bigModel: cloud(5), maxOffloads: 1 }).run(stored(frames)));
    expect(results.every(({ source }) => source === "cloud")).toBe(true);
  });

  it("yields two results with edge-first and closes the frame after the second", async () => {
    const one = frame(0, true);
    const seen: [string, boolean, number][] = [];
    for await (const { source, final, sample } of joint({
      mode: "inference-then-mining",
      hardExampleMining: () => true,
      policy: "edge-first",
    }).run(stored([one])))
      seen.push([source, final, sample.closed]);
    expect(seen).toEqual([
      ["edge", false, 0],
      ["cloud", true, 0],
    ]);
    expect(one.closed).toBe(1);
  });

  it("turns a failed sample into a result with its error, and continues", async () => {
    const frames = [frame(0), frame(1), frame(2)];
    const flaky = joint({
      estimator: estimator(async ({ id }) => {
        if (id === 1) throw new Error("out of memory");
        return "edge";
      }),
    });
    const results = await all(flaky.run(stored(frames)));
    expect(results.map(({ result }) => result)).toEqual(["edge", null, "edge"]);
    expect(results[1]!.error).toEqual(new Error("out of memory"));
    expect(flaky.status()).toMatchObject({ inferenceNumber: 2, failedNumber: 1 });
    expect(frames.every(({ closed }) => closed === 1)).toBe(true);
  });

  it("closes every sample when the consumer stops", async () => {
    const pulled: TestFrame[] = [];
    async function* source(): AsyncGenerator<TestFrame> {
      for (let i = 0; i < 10; i++) {
        pulled.push(frame(i, i % 2 === 0));
        yield pulled.at(-1)!;
      }
    }
    let taken = 0;
    for await (const _ of joint({ bigModel: cloud(20) }).run(source())) if (++taken === 3) break;
    await wait(80);
    expect(pulled.length).toBeGreaterThanOrEqual(3);
    expect(pulled.map(({ closed }) => closed)).toEqual(pulled.map(() => 1));
  });

  it("rejects at once with the reason if it is aborted while the camera is silent", async () => {
    const controller = new AbortController();
    const silent: SampleSource<TestFrame> = {
      live: true,
      async *[Symbol.asyncIterator]() {
        await new Promise(() => {});
        yield frame(0);
      },
    };
    const running = all(joint().run(silent, { signal: controller.signal }));
    controller.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
  });

  it("rethrows a source's error after the results before it", async () => {
    const frames = [frame(0)];
    const source: SampleSource<TestFrame> = {
      async *[Symbol.asyncIterator]() {
        yield frames[0]!;
        throw new Error("the cable is out");
      },
    };
    const seen: number[] = [];
    await expect(async () => {
      for await (const { index } of joint().run(source)) seen.push(index);
    }).rejects.toThrow("the cable is out");
    expect(seen).toEqual([0]);
    expect(frames[0]!.closed).toBe(1);
  });

  it("rejects a source that is not an async iterable", () => {
    expect(() => joint().run({} as never)).toThrow("expected an async iterable source; got an object");
  });
});
