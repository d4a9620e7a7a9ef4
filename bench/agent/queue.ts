import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileQueueStore } from "../../packages/edge-agent/src/queue/stores/file-queue-store.node.ts";
import type { Figure } from "../result.ts";

const ITEMS = 100_000;
const writer = fileURLToPath(
  new URL("../../packages/edge-agent/test/fixtures/queue-writer.ts", import.meta.url),
);

/** The result of reopening the queue of a killed process. */
interface Reload {
  readonly acknowledged: number;
  /** Acknowledged items that are missing, damaged, or stored twice. */
  readonly lost: number;
  /** Time between the first and the last acknowledgment, in s. */
  readonly writtenIn: number;
  readonly reloadedIn: number;
}

/**
 * Measures a process that queues 1e5 items of 200 bytes, 64 concurrently, and is killed with SIGKILL halfway
 * and at the end. Then the log is opened again. Counts acknowledged items that are not stored exactly once
 * and intact: the goal is 0.
 */
export async function benchAgentQueue(): Promise<Figure[]> {
  const halfWay = await killed({ after: ITEMS / 2 });
  const atEnd = await killed({ after: ITEMS });
  const name = "agent-queue";
  return [
    { name, metric: "acknowledged items lost, killed halfway", value: halfWay.lost, unit: "items" },
    { name, metric: "acknowledged items lost, killed at the end", value: atEnd.lost, unit: "items" },
    {
      name,
      metric: "items acknowledged before the kills",
      value: halfWay.acknowledged + atEnd.acknowledged,
      unit: "items",
    },
    { name, metric: "enqueue", value: atEnd.acknowledged / atEnd.writtenIn, unit: "items/s" },
    { name, metric: "reload of 1e5 items", value: atEnd.reloadedIn, unit: "s" },
  ];
}

async function killed({ after }: { readonly after: number }): Promise<Reload> {
  const directory = await mkdtemp(join(tmpdir(), "bench-queue-"));
  try {
    const { lines, writtenIn } = await write({ directory, after });
    const store = fileQueueStore({ directory });
    const begun = performance.now();
    const { entries } = await store.open();
    const reloadedIn = (performance.now() - begun) / 1000;
    const counts = new Map<string, number>();
    for (const { id } of entries) counts.set(id, (counts.get(id) ?? 0) + 1);
    let lost = 0;
    for (const line of lines) {
      const [id, fill] = line.split(" ");
      const body = counts.get(id!) === 1 ? await store.read(id!) : undefined;
      const isWhole = body?.length === 200 && body.every((byte) => byte === Number(fill));
      if (!isWhole) lost++;
    }
    await store.close();
    return { acknowledged: lines.length, lost, writtenIn, reloadedIn };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs the writer until it has acknowledged `after` items, and kills it. */
async function write({
  directory,
  after,
}: {
  readonly directory: string;
  readonly after: number;
}): Promise<{ readonly lines: readonly string[]; readonly writtenIn: number }> {
  const child = spawn(
    process.execPath,
    ["--conditions=sedna-source", "--import", "tsx", writer, directory, "64", "200", String(ITEMS)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines: string[] = [];
  const times = { first: 0, last: 0 };
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    times.first ||= performance.now();
    times.last = performance.now();
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) if (part !== "done") lines.push(part);
    if (lines.length >= after) child.kill("SIGKILL");
  });
  const signal = await new Promise<string | null>((resolve) =>
    child.once("close", (_code, by) => resolve(by)),
  );
  if (signal !== "SIGKILL")
    throw new Error(`bench the queue: expected to kill the writer; it exited after ${lines.length} items`);
  return { lines, writtenIn: (times.last - times.first) / 1000 };
}
