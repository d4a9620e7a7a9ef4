// Runs one agent in its own process with everything on, as fast as it can, and prints its memory at
// intervals.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Detections, Frame } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { createEdgeAgent, hardExampleMining } from "@sedna-js/edge-agent";
import { tinyOnnx } from "../../testing/fakes/tiny-onnx.ts";

const [frames, every, url, worker] = [
  Number(process.argv[2]),
  Number(process.argv[3]),
  process.argv[4]!,
  process.argv[5]!,
];
const directory = await mkdtemp(join(tmpdir(), "sedna-soak-"));

async function* source(): AsyncGenerator<Frame> {
  for (let i = 0; i < frames; i++) {
    // Ten sizes: data cached by size must not grow with the number of frames. A tenth of the frames is dark,
    // and therefore hard.
    const [width, height] = [64 + (i % 10), 48];
    const data = new Uint8ClampedArray(4 * width * height).fill(i % 10 === 0 ? 60 : 200);
    yield pixelsFrame({ width, height, data }, { timestamp: i });
  }
}

const agent = createEdgeAgent<Detections>({
  name: "soak",
  directory,
  source: () => ({ [Symbol.asyncIterator]: source }),
  model: { file: tinyOnnx(), task: { name: "brightness" } },
  createWorker: () => new Worker(worker),
  hardExampleMining: hardExampleMining.Threshold({ threshold: 0.5 }),
  privacy: { level: "features" },
  samples: { url, maxItems: 2000, maxPerSecond: 1000 },
  report: { url, periodMs: 1000 },
});
const told = new Map<string, number>();
agent.on(({ type }) => void told.set(type, (told.get(type) ?? 0) + 1));

const count = { answered: 0 };
for await (const { result } of agent.run()) {
  if (result === null) throw new Error("the soak's model returned no result");
  if (++count.answered % every === 0) {
    globalThis.gc?.();
    console.log(JSON.stringify({ answered: count.answered, rss: process.memoryUsage().rss }));
  }
}
const { joint, queue } = agent.status();
await agent.dispose();
await rm(directory, { recursive: true });
console.log(JSON.stringify({ joint, queue, told: Object.fromEntries(told) }));
process.exit(0);
