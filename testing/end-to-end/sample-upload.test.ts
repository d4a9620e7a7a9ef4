import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createCloud, directorySamples, sampleService, serve, type SampleStore } from "@sedna-js/cloud";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { fileQueueStore } from "../../packages/edge-agent/src/queue/stores/file-queue-store.node.ts";
import { openQueue } from "../../packages/edge-agent/src/queue/open-queue.ts";
import { createSender } from "../../packages/edge-agent/src/queue/create-sender.ts";
import { unstampedSample } from "../fakes/array-queue.ts";
import { faultProxy, type Fault } from "../servers/fault-proxy.ts";
import { violations, type History } from "../checkers/history-checker.ts";

// Real queues on disk, real senders, a real server that stores samples, and between them a proxy that fails
// in every way.

const paths = { folder: "" };
beforeAll(async () => void (paths.folder = await mkdtemp(join(tmpdir(), "sending-"))));
afterAll(() => rm(paths.folder, { recursive: true }));

const AGENTS = 3;
const SAMPLES = 100;
const faults: readonly Fault[] = [
  { kind: "refuse" },
  { kind: "pass" },
  { kind: "half-open" },
  { kind: "corrupt", at: 40, way: "up" },
  { kind: "reset", after: 3000 },
  { kind: "corrupt", at: 90, way: "up" },
  { kind: "latency", ms: 30 },
  { kind: "corrupt", at: 2000, way: "up" },
  { kind: "truncate", after: 40 },
  { kind: "corrupt", at: 60, way: "down" },
  { kind: "garbage" },
  { kind: "corrupt", at: 310, way: "up" },
  { kind: "truncate", after: 0 },
  { kind: "corrupt", at: 4000, way: "up" },
];

async function everything(store: SampleStore): Promise<History["stored"]> {
  const stored: { id: string; bytes: Uint8Array }[] = [];
  let after: string | undefined;
  do {
    const { ids, next } = await store.list({ limit: 100, ...(after === undefined ? {} : { after }) });
    for (const id of ids) stored.push({ id, bytes: (await store.read(id))! });
    after = next;
  } while (after !== undefined);
  return stored;
}

it("C1-C4, C16: delivers 300 samples of three agents exactly once and byte for byte through every network fault", async () => {
  const store = directorySamples(join(paths.folder, "cloud"));
  const cloud = createCloud({ services: [sampleService({ store })] });
  await cloud.start();
  const serving = await serve(cloud, { port: 0, drainMs: 500 });
  const proxy = await faultProxy(serving.url);
  const history = {
    taken: [] as { id: string; payload: Uint8Array }[],
    acknowledged: [] as string[],
    dropped: [] as string[],
  };
  const codes = new Map<string, number>();

  const agents = await Promise.all(
    Array.from({ length: AGENTS }, async (_, agent) => {
      const queue = await openQueue({
        store: fileQueueStore({ directory: join(paths.folder, `agent-${agent}`) }),
        deviceId: `agent-${agent}`,
        onEvent(event) {
          if (event.type === "item-sent") history.acknowledged.push(event.id);
          if (event.type === "item-dropped") history.dropped.push(event.id);
        },
      });
      const count = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
      const sender = createSender({
        queue,
        url: proxy.url,
        baseMs: 4,
        capMs: 40,
        deadlineMs: 150,
        maxPerSecond: 500,
        onEvent: (event) => count("code" in event ? event.code : event.type),
      });
      const fill = async (): Promise<void> => {
        for (let i = 0; i < SAMPLES; i++) {
          const payload = Uint8Array.from({ length: 2000 + 37 * i }, (_, at) => (at * (agent + 3) + i) % 256);
          const { id } = await queue.enqueue({
            kind: "sample",
            body: unstampedSample(payload, `agent-${agent}`),
          });
          history.taken.push({ id, payload });
          sender.wake();
          await setTimeout(10);
        }
      };
      return { queue, sender, filled: fill() };
    }),
  );
  for (const fault of faults) {
    proxy.set(fault);
    await setTimeout(120);
    // A silent connection costs a sender its whole deadline, so a busy machine needs longer to reach it.
    if (fault.kind === "half-open")
      await vi.waitFor(() => expect([...codes.keys()]).toContain("cloud-timeout"), { timeout: 10_000 });
  }
  proxy.set({ kind: "pass" });
  for (const { sender, filled } of agents) {
    await filled;
    await sender.flush({ signal: AbortSignal.timeout(20_000) });
    await sender.stop();
  }
  const stored = await everything(store);
  for (const { queue } of agents) await queue.close();
  await proxy.close();
  await serving.close();

  expect(violations({ ...history, stored })).toEqual([]);
  expect([stored.length, history.dropped]).toEqual([AGENTS * SAMPLES, []]);
  // Check that the faults really occurred.
  expect([...codes.keys()]).toEqual(expect.arrayContaining(["cloud-unreachable", "cloud-timeout"]));

  // Prove that the checker can find violations.
  const [first, second] = stored as [History["stored"][number], History["stored"][number]];
  const spoilt = {
    id: first.id,
    bytes: first.bytes.map((byte, at) => (at === first.bytes.length - 1 ? byte ^ 1 : byte)),
  };
  expect(violations({ ...history, stored: stored.slice(1) })).toEqual([
    expect.stringContaining(`${first.id} was acknowledged and is not stored`),
    expect.stringContaining(`${first.id} was acknowledged by the queue, is not stored`),
  ]);
  expect(violations({ ...history, stored: [...stored, second] })).toEqual([
    `1: ${second.id} is stored 2 times`,
  ]);
  expect(violations({ ...history, stored: [spoilt, ...stored.slice(1)] })).toEqual([
    `1: ${first.id} is stored with different bytes than were acknowledged`,
  ]);
  expect(
    violations({ ...history, taken: history.taken.filter(({ id }) => id !== first.id), stored }),
  ).toEqual([`1: ${first.id} is stored and no queue acknowledged it`]);
  expect(violations({ ...history, stored, versions: { cam: [1, 1, 2, 4, 3] } })).toEqual([
    "3: cam went from model version 4 back to 3",
  ]);
}, 60_000);
