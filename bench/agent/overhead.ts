import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import {
  createJointInference,
  nanodet,
  type Detections,
  type Frame,
  type JointResult,
  type SampleSource,
} from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { createEdgeAgent, hardExampleMining, onnxEstimator, superviseModel } from "@sedna-js/edge-agent";
import { localModel } from "../../packages/edge-agent/src/models/local-model.ts";
import { createAgentMetrics } from "../../packages/edge-agent/src/telemetry/agent-metrics.ts";
import { workerCode } from "../../testing/workers/bundled-worker.ts";
import type { Figure } from "../result.ts";
import { interleave, ratio, typical } from "../rounds.ts";

const name = "agent overhead";

/** Creates a source that is fed frame by frame, so that contestants can run in turn. */
function handFed(
  run: (source: SampleSource<Frame>) => AsyncIterableIterator<JointResult<Detections, Frame>>,
): { ask(frame: Frame): Promise<void>; end(): Promise<void> } {
  let feed: (frame: Frame) => void = () => {};
  const source = {
    async *[Symbol.asyncIterator]() {
      for (;;) yield await new Promise<Frame>((resolve) => (feed = resolve));
    },
  };
  const answers = run(source);
  return {
    async ask(frame) {
      const answer = answers.next();
      // The source requests its next frame in a later task than the one that took the previous result.
      await new Promise((resolve) => setImmediate(resolve));
      feed(frame);
      const { value } = await answer;
      if (!value || value.result === null)
        throw new Error(`measure the agent's overhead: expected a result; got ${String(value?.error)}`);
    },
    end: async () => void (await answers.return?.()),
  };
}

/**
 * Measures the cost of a frame in an agent with everything on (supervised model, model slot, miner, queue on
 * disk, sender, reports, metrics). The baselines are joint inference alone on the same model, NanoDet on
 * frames of 640x480, in the same kind of Worker; and with the model in the main thread. A tenth of the frames
 * is hard.
 */
export async function benchAgentOverhead(): Promise<Figure[]> {
  const file = fileURLToPath(new URL("../../models/nanodet-g-416/model.onnx", import.meta.url));
  const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));
  const folder = await mkdtemp(join(cache, "overhead-"));
  const entry = join(folder, "worker.mjs");
  await writeFile(
    entry,
    await workerCode(
      new URL("../../packages/edge-agent/src/worker/model-host.worker.node.ts", import.meta.url),
    ),
  );
  const createWorker = (): Worker => new Worker(entry);
  const receiver = createServer((request, response) => {
    const body = request.url?.startsWith("/sedna/") ? { Status: 200, Message: "OK" } : { stored: true };
    request
      .resume()
      .on("end", () =>
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body)),
      );
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

  const settings = { method: "Random", param: { random_ratio: 0.1 } } as const;
  const frame = pixelsFrame({
    width: 640,
    height: 480,
    data: new Uint8ClampedArray(4 * 640 * 480).map((_, i) => i * 7),
  });
  const inWorker = superviseModel<Frame, Detections>({
    model: localModel({ file, task: { name: "nanodet" } }),
    createWorker,
  });
  const inProcess = onnxEstimator({ model: file, task: nanodet() });
  const alone = (estimator: typeof inProcess) =>
    handFed((source) =>
      createJointInference({ estimator, hardExampleMining: hardExampleMining.Random(settings.param) }).run(
        source,
      ),
    );
  const worker = alone(inWorker);
  const main = alone(inProcess);

  let open: () => SampleSource<Frame> = () => {
    throw new Error("the agent has no source yet");
  };
  const agent = createEdgeAgent<Detections>({
    name: "bench",
    directory: join(folder, "agent"),
    source: () => open(),
    model: { file, task: { name: "nanodet" } },
    createWorker,
    hardExampleMining: settings,
    samples: { url },
    report: { url, periodMs: 1000 },
  });
  const metrics = createAgentMetrics(agent);
  const fed = handFed((source) => {
    open = () => source;
    return (async function* () {
      for await (const answer of agent.run()) {
        metrics.answered(answer);
        yield answer;
      }
    })() as AsyncIterableIterator<JointResult<Detections, Frame>>;
  });

  try {
    const contestants = {
      alone: () => worker.ask(frame),
      "in the main thread": () => main.ask(frame),
      agent: () => fed.ask(frame),
    };
    const rounds = await interleave(contestants, { rounds: 15, runs: 60, warmUp: 20 });
    const { inferenceNumber } = agent.status().joint;
    if (inferenceNumber !== 15 * 60 + 20)
      throw new Error(
        `measure the agent's overhead: expected ${15 * 60 + 20} frames; got ${inferenceNumber}`,
      );
    return [
      {
        name,
        metric: "joint inference alone, its model in a Worker, p50",
        value: typical(rounds, "alone"),
        unit: "ms",
      },
      {
        name,
        metric: "everything on, p50",
        value: typical(rounds, "agent"),
        unit: "ms",
        peer: "joint inference alone",
        ratio: ratio(rounds, { a: "agent", b: "alone" }),
      },
      {
        name,
        metric: "everything on, against a model in the main thread, p50",
        value: typical(rounds, "in the main thread"),
        unit: "ms",
        peer: "a model in the main thread",
        ratio: ratio(rounds, { a: "agent", b: "in the main thread" }),
      },
    ];
  } finally {
    await agent.dispose();
    for (const one of [worker, main])
      await Promise.race([one.end(), new Promise((resolve) => setTimeout(resolve, 100))]);
    await inWorker.dispose();
    await inProcess.dispose();
    receiver.closeAllConnections();
    receiver.close();
    await rm(folder, { recursive: true, force: true });
  }
}
