import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { SednaError, type Detections, type Frame, type JointResult, type SampleSource } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import {
  createEdgeAgent,
  type AgentEvent,
  type EdgeAgent,
  type EdgeAgentOptions,
} from "@sedna-js/edge-agent";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundledWorker } from "../../../../testing/workers/bundled-worker.ts";
import { publish, signingKey, type Version } from "../../../../testing/servers/model-publisher.ts";
import { modelServer, type ModelServer } from "../../../../testing/servers/model-server.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { memorySamples } from "../../../cloud/src/samples/sample-store.ts";
import { sampleService } from "../../../cloud/src/samples/sample-service.ts";
import { createCloud } from "../../../cloud/src/http/create-cloud.ts";
import { serve } from "../../../cloud/src/http/serve.node.ts";

// Complete agents with real Workers, files, and sockets. y = x + x measures the brightness of a frame, from 0
// to 2.

let createWorker: () => Worker;
let directory: string;
const open: (() => Promise<void>)[] = [];
beforeAll(async () => {
  createWorker = await bundledWorker(
    new URL("../../../../testing/workers/brightness-worker.ts", import.meta.url),
  );
}, 30_000);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sedna-agent-"));
  open.push(() => rm(directory, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const task = { name: "brightness" };
/** 8x8 frames: every tenth is dark, the others are bright. */
const frame = (i: number): Frame =>
  pixelsFrame(
    { width: 8, height: 8, data: new Uint8ClampedArray(256).fill(i % 10 === 0 ? 40 : 220) },
    { timestamp: i },
  );
const frames =
  (count: number, gapMs = 0): (() => SampleSource<Frame>) =>
  () => ({
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < count; i++) {
        if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
        yield frame(i);
      }
    },
  });
const agentOf = (options: Partial<EdgeAgentOptions> = {}): { agent: EdgeAgent; events: AgentEvent[] } => {
  const agent = createEdgeAgent<Detections>({
    name: "gate",
    directory,
    source: frames(30),
    model: { file: tinyOnnx(), task },
    createWorker,
    ...options,
  });
  const events: AgentEvent[] = [];
  agent.on((event) => events.push(event));
  open.push(() => agent.dispose());
  return { agent, events };
};
const predictDigits = async (agent: EdgeAgent): Promise<JointResult<Detections, Frame>[]> => {
  const answers = [];
  for await (const answer of agent.run()) answers.push(answer);
  return answers;
};
/** A publisher on a real socket. The agent sees each published version at once. */
const publisher = async () => {
  const [key, other, server] = await Promise.all([signingKey("test"), signingKey("test"), modelServer()]);
  open.push(server.close);
  return {
    model: { manifest: server.url, keys: [{ id: key.id, publicKey: key.publicKey }] },
    server: server as ModelServer,
    async publish({
      op = "Add",
      signed = true,
      ...version
    }: Version & { op?: string; signed?: boolean }): Promise<void> {
      server.files = await publish(signed ? key : other, {
        name: "gate",
        task,
        content: { "model.onnx": tinyOnnx({ op }) },
        ...version,
      });
    },
  };
};
const hard = (rows: Detections): boolean => rows[0]![4] < 0.5;

describe("createEdgeAgent()", () => {
  it("returns a result for every frame of a source, in a Worker, and reports its status", async () => {
    const { agent, events } = agentOf();
    expect(agent.status()).toMatchObject({ state: "idle", model: null, startedAt: null, queue: null });
    const answers = await predictDigits(agent);
    expect(answers.map(({ index, result }) => [index, result!.length])).toEqual(
      Array.from({ length: 30 }, (_, i) => [i, 1]),
    );
    expect(answers[1]!.result![0]![4]).toBeCloseTo((2 * 220) / 255 / 2, 5);
    expect(agent.status()).toMatchObject({
      state: "idle",
      model: { name: "local", version: 1, backend: "cpu" },
      joint: { inferenceNumber: 30, failedNumber: 0 },
      lastError: null,
    });
    expect(events.map(({ type }) => type)).toEqual([
      "agent-started",
      "agent-leads",
      "source-opened",
      "model-opened",
    ]);
  });

  it("uploads every hard example once, according to the privacy policy, and keeps those collected offline", async () => {
    const store = memorySamples();
    const cloud = createCloud({ services: [sampleService({ store })] });
    await cloud.start();
    const first = await serve(cloud, { port: 0 });
    const { url } = first;
    await first.close();
    // The cloud is down: hard examples stay on the disk across two agent instances.
    for (const life of [1, 2]) {
      const { agent } = agentOf({ hardExampleMining: hard, samples: { url } });
      await predictDigits(agent);
      await expect.poll(() => agent.status().queue?.items).toBe(3 * life);
      await agent.dispose();
    }
    const again = createCloud({ services: [sampleService({ store })] });
    await again.start();
    const serving = await serve(again, { port: Number(new URL(url).port) });
    open.push(() => serving.close());
    const { agent, events } = agentOf({ hardExampleMining: hard, samples: { url, maxPerSecond: 100 } });
    await predictDigits(agent);
    await agent.flush({ signal: AbortSignal.timeout(5000) });
    expect(agent.status().queue).toMatchObject({ items: 0, sentNumber: 9, durable: true });
    const sent = events.flatMap((event) => (event.type === "item-sent" ? [event.id] : []));
    expect(new Set(sent).size).toBe(9);
  });

  it("uses the cloud while there is no model, and loads the model when it becomes available", async () => {
    const { model, publish } = await publisher();
    const fromCloud = async (): Promise<Detections> => [[0, 0, 8, 8, 0.9, 7]];
    const { agent, events } = agentOf({
      source: frames(1000, 5),
      model,
      bigModel: { inference: fromCloud },
      privacy: { level: "full" },
    });
    const sources = new Set<string>();
    for await (const { source, result } of agent.run()) {
      sources.add(`${source} ${result![0]![5]}`);
      if (sources.size === 1 && agent.status().joint.inferenceNumber === 10) await publish({ version: 1 });
      if (sources.size === 2) break;
    }
    expect([...sources]).toEqual(["cloud 7", "edge 0"]);
    expect(events.some(({ type }) => type === "model-missing")).toBe(true);
    expect(agent.status().model).toEqual({ name: "gate", version: 1, backend: "cpu" });
  });

  it("installs a valid update between two frames, rejects a forged and a tampered one, and rolls back on request", async () => {
    const { model, server, publish } = await publisher();
    await publish({ version: 1 });
    const settings = {
      shadowFrames: 3,
      shadowMs: 2000,
      probationFrames: 5,
      probationMs: 2000,
      minAgreement: 0,
    };
    const { agent, events } = agentOf({ source: frames(100_000, 2), model: { ...model, update: settings } });
    const seen: { index: number; score: number }[] = [];
    const watching = (async () => {
      for await (const { index, result } of agent.run())
        seen.push({ index, score: result?.[0]?.[4] ?? Number.NaN });
    })();
    await expect.poll(() => agent.status().model?.version, { timeout: 5000 }).toBe(1);
    await expect.poll(() => seen.length).toBeGreaterThan(5);

    await publish({ version: 2, op: "Mul" });
    await agent.update();
    expect(agent.status().model?.version).toBe(2);
    await publish({ version: 3, signed: false });
    await agent.update();
    await publish({ version: 4, op: "Max" });
    const bytes = server.files.get("model.onnx")!;
    server.files = new Map(server.files).set("model.onnx", bytes.with(40, bytes[40]! ^ 1));
    await agent.update();
    expect(agent.status().model?.version).toBe(2);
    await agent.rollback();
    expect(agent.status().model?.version).toBe(1);
    await agent.dispose();
    await watching;

    const lost = seen.filter(({ score }) => Number.isNaN(score));
    // Frames before the first model have no result.
    expect(lost.every(({ index }) => index < seen.find(({ score }) => !Number.isNaN(score))!.index)).toBe(
      true,
    );
    expect(seen.map(({ index }) => index)).toEqual(seen.map((_, i) => i));
    expect(events.filter(({ type }) => type.startsWith("update-")).map(({ type }) => type)).toEqual([
      "update-found",
      "update-staged",
      "update-checked",
      "update-shadowed",
      "update-swapped",
      "update-confirmed",
      "update-rejected",
      "update-found",
      "update-postponed",
      "update-rolled-back",
    ]);
  }, 30_000);

  it("reopens a source after a retryable failure, and gives up after a permanent one", async () => {
    let opened = 0;
    const source = (): SampleSource<Frame> => ({
      async *[Symbol.asyncIterator]() {
        opened++;
        yield frame(opened);
        if (opened < 3)
          throw new SednaError("the cable was pulled", { code: "source-failed", retryable: true });
      },
    });
    const { agent, events } = agentOf({ source });
    expect(await predictDigits(agent)).toHaveLength(3);
    expect(events.filter(({ type }) => type === "source-failed")).toMatchObject([
      { message: "the cable was pulled" },
      { message: "the cable was pulled" },
    ]);
    const { agent: other } = agentOf({
      source: () => {
        throw new TypeError("no such camera");
      },
    });
    await expect(predictDigits(other)).rejects.toThrow("no such camera");
    expect(other.status().source.state).toBe("closed");
  });

  it("C25: on stop, returns results for all frames already read, keeps queued items, and ends within its deadline", async () => {
    const { agent, events } = agentOf({
      source: frames(100_000, 1),
      hardExampleMining: hard,
      samples: { url: "http://127.0.0.1:9" },
    });
    const answers: number[] = [];
    const running = (async () => {
      for await (const { index, result } of agent.run()) if (result) answers.push(index);
    })();
    await expect.poll(() => answers.length).toBeGreaterThan(20);
    const started = performance.now();
    await Promise.all([agent.dispose({ deadlineMs: 3000 }), agent.dispose()]);
    expect(performance.now() - started).toBeLessThan(3000);
    await running;
    expect(answers).toEqual(answers.map((_, i) => i));
    expect(agent.status()).toMatchObject({ state: "stopped", leads: false });
    expect(events.at(-1)).toEqual({ type: "agent-stopped", name: "gate" });
    await expect(predictDigits(agent)).rejects.toMatchObject({ code: "disposed" });
    const { agent: next } = agentOf({ source: frames(0), samples: { url: "http://127.0.0.1:9" } });
    await predictDigits(next);
    await expect.poll(() => next.status().queue?.items).toBeGreaterThan(0);
  });

  it("stops within its deadline even if nothing reads its results", async () => {
    const { agent } = agentOf({ source: frames(100_000, 1) });
    const answers = agent.run();
    await answers.next();
    const started = performance.now();
    await agent.dispose({ deadlineMs: 300 });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(agent.status().state).toBe("stopped");
  });

  it("uses the miner parameters published with the model", async () => {
    const { model, publish } = await publisher();
    await publish({ version: 1, thresholds: { threshold: 2 } });
    const { agent } = agentOf({
      source: frames(100_000, 2),
      model,
      hardExampleMining: { method: "Threshold" },
    });
    for await (const { result, isHardExample } of agent.run()) {
      if (result === null) continue;
      expect(isHardExample).toBe(true);
      break;
    }
  });

  it("survives a listener that throws, and rejects a second run at the same time", async () => {
    const { agent } = agentOf({ source: frames(3) });
    const thrown: unknown[] = [];
    const keep = (error: unknown): void => void thrown.push(error);
    const former = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", keep);
    const off = agent.on(() => {
      throw new Error("an error of the listener");
    });
    const one = agent.run();
    await one.next();
    await expect(agent.run().next()).rejects.toThrow("expected one run at a time");
    await one.return?.();
    expect(await predictDigits(agent)).toHaveLength(3);
    off();
    process.off("uncaughtException", keep);
    for (const listener of former) process.on("uncaughtException", listener);
    expect(thrown.length).toBeGreaterThan(0);
  });

  it.each<[string, Partial<EdgeAgentOptions>, string]>([
    ["a name that contains a path", { name: "../gate" }, "expected a name of letters"],
    ["a source that is not a function", { source: frames(1)() as never }, "expected source as a function"],
    [
      "two models",
      { model: { file: tinyOnnx(), task, estimator: {} } as never },
      "expected model with one of manifest, file and estimator; got file, estimator",
    ],
    [
      "no key",
      { model: { manifest: "http://127.0.0.1/manifest.json", keys: [] } },
      "expected at least one key",
    ],
    ["an unknown miner", { hardExampleMining: { method: "Dowsing" } }, "expected one of"],
    ["an unknown policy", { policy: "luck" as never }, "expected one of joint"],
    ["no thread", { threads: 0 }, "expected threads as a whole number from 1 up; got 0"],
    ["a run timeout of 0", { runTimeoutMs: 0 }, "expected a positive number of milliseconds"],
    [
      "an unknown privacy level",
      { privacy: { level: "some" as never } },
      "expected a level of never, features, crop, blurred, full",
    ],
  ])("refuses %s", (_, options, message) => {
    expect(() => agentOf(options)).toThrow(message);
  });
});
