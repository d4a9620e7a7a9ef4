import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { workerCode } from "../../testing/workers/bundled-worker.ts";
import type { Figure } from "../result.ts";

const name = "agent soak";
const FRAMES = 120_000;
/** Interval between memory readings, in frames. */
const EVERY = 1000;
/**
 * Window of which only the lowest reading is used, in frames. Higher readings include garbage that is not yet
 * collected.
 */
const WINDOW = 10_000;
/** Frames of the warm-up, in which pools are filled and code is compiled. */
const WARM = 20_000;

/**
 * Measures the slope of the process's resident memory in MB per 1e4 frames, by least squares over the lowest
 * reading of each 1e4 frames. Runs 1e5 frames in Node, after a warm-up of 2e4, with everything on (a Worker
 * with its model, a miner that marks a tenth as hard, the queue on disk, its sender, reports). The receiver
 * runs in another process, as in production.
 */
export async function benchAgentSoak(): Promise<Figure[]> {
  const receiver = createServer((request, response) => {
    const told = request.url?.startsWith("/sedna/") ? { Status: 200, Message: "OK" } : { stored: true };
    request
      .resume()
      .on("end", () =>
        response
          .writeHead(request.url?.startsWith("/sedna/") ? 200 : 201, { "content-type": "application/json" })
          .end(JSON.stringify(told)),
      );
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  // Bundle the Worker here, because the bundler's memory is not the agent's.
  const folder = await mkdtemp(join(fileURLToPath(new URL("../..", import.meta.url)), ".cache/soak-"));
  const worker = join(folder, "worker.mjs");
  await writeFile(
    worker,
    await workerCode(new URL("../../testing/workers/brightness-worker.ts", import.meta.url)),
  );
  const args = [
    "--conditions=sedna-source",
    "--expose-gc",
    "--import",
    "tsx",
    fileURLToPath(new URL("soak-child.ts", import.meta.url)),
    String(FRAMES),
    String(EVERY),
    url,
    worker,
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const memory: { readonly frames: number; readonly mb: number }[] = [];
  let last:
    | { joint: { inferenceNumber: number; hardExampleNumber: number }; queue: { sentNumber: number } }
    | undefined;
  const started = performance.now();
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as { answered: number; rss: number } & NonNullable<typeof last>;
      if ("rss" in told) memory.push({ frames: told.answered, mb: told.rss / 2 ** 20 });
      else last = told;
    }
  } finally {
    child.kill("SIGKILL");
    receiver.close();
    await rm(folder, { recursive: true });
  }
  const seconds = (performance.now() - started) / 1000;
  if (last?.joint.inferenceNumber !== FRAMES)
    throw new Error(
      `soak the agent: expected ${FRAMES} frames with a result; got ${last?.joint.inferenceNumber}`,
    );
  if (last.joint.hardExampleNumber !== FRAMES / 10)
    throw new Error(`soak the agent: expected a tenth to be hard; got ${last.joint.hardExampleNumber}`);
  const warm: { readonly frames: number; readonly mb: number }[] = [];
  for (let from = WARM; from < FRAMES; from += WINDOW)
    warm.push(
      memory
        .filter(({ frames }) => frames > from && frames <= from + WINDOW)
        .reduce((low, one) => (one.mb < low.mb ? one : low)),
    );
  return [
    { name, metric: "RSS slope over 1e5 frames", value: 10_000 * slope(warm), unit: "MB per 1e4 frames" },
    { name, metric: "RSS after the warm-up", value: warm[0]!.mb, unit: "MB" },
    { name, metric: "RSS at the end", value: warm.at(-1)!.mb, unit: "MB" },
    { name, metric: "frames", value: FRAMES / seconds, unit: "per second" },
    { name, metric: "hard examples sent", value: last.queue.sentNumber, unit: "samples" },
  ];
}

/** Returns the slope by least squares, in MB per frame. */
function slope(points: readonly { readonly frames: number; readonly mb: number }[]): number {
  const mean = (of: (point: { readonly frames: number; readonly mb: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ frames }) => frames), mean(({ mb }) => mb)];
  return mean(({ frames, mb }) => (frames - x) * (mb - y)) / mean(({ frames }) => (frames - x) ** 2);
}
