import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { becomeLeader } from "#platform/leadership";
import { openQueueStore } from "#platform/queue";
import { openQueue } from "./open-queue.ts";

it("Node stores the queue in a directory, and throws if none is given", async () => {
  expect(() => openQueueStore({ name: "queue" })).toThrow(
    new TypeError("open the queue queue: expected a directory, which Node keeps it in; got none"),
  );
  const directory = await mkdtemp(join(tmpdir(), "queue-"));
  try {
    for (const durability of ["process", "power"] as const) {
      const queue = await openQueue({
        store: openQueueStore({ name: "queue", directory: join(directory, "made", "here"), durability }),
        deviceId: "gate-1",
      });
      await queue.enqueue({ kind: "sample", body: new Uint8Array(1) });
      await queue.close();
    }
    const queue = await openQueue({
      store: openQueueStore({ name: "queue", directory: join(directory, "made", "here") }),
      deviceId: "gate-1",
    });
    expect(queue.stats().items).toBe(2);
    await queue.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

it("in Node, the agent leads at once unless it is aborted", async () => {
  await becomeLeader({ name: "queue", signal: new AbortController().signal });
  await expect(
    becomeLeader({ name: "queue", signal: AbortSignal.abort(new Error("stopped")) }),
  ).rejects.toThrow("stopped");
});
