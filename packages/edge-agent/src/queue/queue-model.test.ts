import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import type { DurableQueue } from "./durable-queue.ts";
import { fileQueueStore } from "./stores/file-queue-store.node.ts";
import { openQueue } from "./open-queue.ts";

// Compares any sequence of calls, restarts, and crashes with a plain array. A crash is a copy of the
// directory at that moment, opened by another queue: a killed process leaves what it has written to the
// operating system.

const MAX_ITEMS = 6;
const root = await mkdtemp(join(tmpdir(), "queue-model-"));
afterAll(() => rm(root, { recursive: true }));

interface Expected {
  items: { id: string; kind: string; priority: number; leased: boolean }[];
  dropped: number;
}
interface Actual {
  queue: DurableQueue;
  directory: string;
  readonly ids: Set<string>;
  readonly dead: DurableQueue[];
}
type Command = fc.AsyncCommand<Expected, Actual>;

const nextOf = ({ items }: Expected): Expected["items"][number] | undefined =>
  items
    .filter(({ leased }) => !leased)
    .reduce<Expected["items"][number] | undefined>(
      (best, one) => (best && best.priority >= one.priority ? best : one),
      undefined,
    );
const open = (directory: string): Promise<DurableQueue> =>
  openQueue({
    store: fileQueueStore({ directory, segmentBytes: 4096 }),
    deviceId: "gate",
    maxItems: MAX_ITEMS,
    whenFull: "drop-oldest",
  });
const compare = (model: Expected, { queue }: Actual): void => {
  expect(queue.stats().items).toBe(model.items.length);
};

const enqueue = (kind: string, priority: number, bytes: number): Command => ({
  check: () => true,
  async run(model, actual) {
    const { id, dropped } = await actual.queue.enqueue({
      kind,
      priority,
      body: new Uint8Array(bytes).fill(priority),
    });
    expect(actual.ids.has(id)).toBe(false);
    actual.ids.add(id);
    if (model.items.length === MAX_ITEMS) {
      const oldest = model.items.findIndex(({ leased }) => !leased);
      expect(dropped).toBe(oldest === -1 ? "full" : undefined);
      if (oldest === -1) return;
      model.items.splice(oldest, 1);
    }
    model.items.push({ id, kind, priority, leased: false });
    compare(model, actual);
  },
  toString: () => `enqueue(${kind}, ${priority}, ${bytes})`,
});
const next: Command = {
  check: () => true,
  async run(model, { queue }) {
    const [expected, got] = [nextOf(model), await queue.next()];
    expect(got?.entry.id).toBe(expected?.id);
    if (!expected || !got) return;
    expect(got.body.every((byte) => byte === expected.priority)).toBe(true);
    expected.leased = true;
  },
  toString: () => "next",
};
const settle = (outcome: "sent" | "duplicate" | "rejected"): Command => ({
  check: ({ items }) => items.some(({ leased }) => leased),
  async run(model, actual) {
    const at = model.items.findIndex(({ leased }) => leased);
    await actual.queue.settle(model.items[at]!.id, outcome);
    model.items.splice(at, 1);
    compare(model, actual);
  },
  toString: () => `settle(${outcome})`,
});
const release: Command = {
  check: ({ items }) => items.some(({ leased }) => leased),
  async run(model, { queue }) {
    const one = model.items.find(({ leased }) => leased)!;
    queue.release(one.id);
    one.leased = false;
  },
  toString: () => "release",
};
const reopen: Command = {
  check: () => true,
  async run(model, actual) {
    await actual.queue.close();
    actual.queue = await open(actual.directory);
    for (const item of model.items) item.leased = false;
    compare(model, actual);
  },
  toString: () => "reopen",
};
const die: Command = {
  check: () => true,
  async run(model, actual) {
    const directory = await mkdtemp(join(root, "d"));
    await cp(actual.directory, directory, { recursive: true });
    for (const name of await readdir(directory)) if (name.startsWith("lock")) await rm(join(directory, name));
    actual.dead.push(actual.queue);
    actual.directory = directory;
    actual.queue = await open(directory);
    for (const item of model.items) item.leased = false;
    compare(model, actual);
  },
  toString: () => "die",
};

it(
  "the queue behaves like a plain array after any calls, restarts, and crashes",
  { timeout: 60_000 },
  async () => {
    const commands = [
      fc
        .tuple(
          fc.constantFrom("sample", "report"),
          fc.integer({ min: 0, max: 3 }),
          fc.constantFrom(0, 1, 700, 5000),
        )
        .map(([kind, priority, bytes]) => enqueue(kind, priority, bytes)),
      fc.constant(next),
      fc.constantFrom("sent", "duplicate", "rejected").map(settle),
      fc.constant(release),
      fc.constant(reopen),
      fc.constant(die),
    ];
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (sequence) => {
        const directory = await mkdtemp(join(root, "q"));
        const actual: Actual = { queue: await open(directory), directory, ids: new Set(), dead: [] };
        try {
          await fc.asyncModelRun(() => ({ model: { items: [], dropped: 0 }, real: actual }), sequence);
        } finally {
          for (const queue of [actual.queue, ...actual.dead]) await queue.close();
        }
      }),
      { numRuns: 60 },
    );
  },
);
