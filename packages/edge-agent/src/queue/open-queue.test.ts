import { describe, expect, it } from "vitest";
import { SednaError } from "@sedna-js/core";
import { memoryQueueStore } from "./stores/memory-queue-store.ts";
import { openQueue } from "./open-queue.ts";
import { body, drain, workbench } from "./queue-workbench.suite.ts";

const HOUR = 3_600_000;

describe("openQueue", () => {
  it("leases items of higher priority first, then the oldest, with their bodies", async () => {
    const queue = await workbench().open();
    for (const [kind, priority] of [
      ["a", 0],
      ["b", 2],
      ["c", 0],
      ["d", 2.5],
      ["e", 2],
    ] as const)
      await queue.enqueue({ kind, priority, body: Uint8Array.of(kind.charCodeAt(0)) });
    const first = await queue.next();
    expect(first).toMatchObject({ entry: { kind: "d", priority: 2.5, bytes: 1 }, body: Uint8Array.of(100) });
    await queue.settle(first!.entry.id, "duplicate");
    expect(await drain(queue)).toEqual(["b", "e", "a", "c"]);
    expect(queue.stats()).toMatchObject({
      items: 0,
      bytes: 0,
      oldestAgeMs: 0,
      queuedNumber: 5,
      sentNumber: 5,
    });
    await queue.close();
  });

  it("leases no item twice until it is released, and settles it once", async () => {
    const { open, events } = workbench();
    const queue = await open();
    for (const kind of ["a", "b"]) await queue.enqueue({ kind, body: body(1) });
    const [a, b, none] = await Promise.all([queue.next(), queue.next(), queue.next()]);
    expect([a?.entry.kind, b?.entry.kind, none]).toEqual(["a", "b", undefined]);
    queue.release(b!.entry.id);
    queue.release(b!.entry.id);
    expect((await queue.next())?.entry.kind).toBe("b");
    expect(await queue.next()).toBeUndefined();
    await Promise.all([
      queue.settle(a!.entry.id, "sent"),
      queue.settle(a!.entry.id, "sent"),
      queue.settle("unknown", "sent"),
    ]);
    await queue.settle(b!.entry.id, "rejected");
    queue.release(b!.entry.id);
    expect(queue.stats()).toMatchObject({ items: 0, sentNumber: 1, droppedNumber: { rejected: 1 } });
    expect(events.map(({ type }) => type)).toEqual([
      "item-queued",
      "item-queued",
      "item-sent",
      "item-dropped",
    ]);
    await queue.close();
  });

  it.for([
    { whenFull: "reject-new", left: ["a0", "b2", "c1"] },
    { whenFull: "drop-oldest", left: ["c1", "d1", "e0"] },
    { whenFull: "drop-lowest-priority", left: ["b2", "c1", "d1"] },
  ] as const)("stays within its limits when full: $whenFull", async ({ whenFull, left }) => {
    const { open } = workbench();
    const queue = await open({ maxItems: 3, whenFull });
    for (const kind of ["a0", "b2", "c1", "d1", "e0"])
      await queue.enqueue({ kind, priority: Number(kind[1]), body: body(10) });
    expect(queue.stats()).toMatchObject({ items: 3, bytes: 30, droppedNumber: { full: 2 } });
    expect((await drain(queue)).toSorted()).toEqual(left);
    await queue.close();
  });

  it("evicts by bytes, rejects an item that can never fit, and drops nothing for an item of lower priority", async () => {
    const { open } = workbench();
    const queue = await open({ maxBytes: 100, whenFull: "drop-lowest-priority" });
    for (const priority of [0, 1, 5]) await queue.enqueue({ kind: `p${priority}`, priority, body: body(30) });
    expect(await queue.enqueue({ kind: "huge", priority: 9, body: body(101) })).toMatchObject({
      dropped: "full",
    });
    expect(await queue.enqueue({ kind: "wide", priority: 3, body: body(75) })).toMatchObject({
      dropped: "full",
    });
    expect(queue.stats().items).toBe(3);
    expect(await queue.enqueue({ kind: "fits", priority: 3, body: body(60) })).not.toHaveProperty("dropped");
    expect(await drain(queue)).toEqual(["p5", "fits"]);
    await queue.close();
  });

  it("does not drop an item that is leased to a sender", async () => {
    const queue = await workbench().open({ maxItems: 1 });
    await queue.enqueue({ kind: "held", body: body(1) });
    const held = await queue.next();
    expect(await queue.enqueue({ kind: "new", body: body(1) })).toMatchObject({ dropped: "full" });
    await queue.settle(held!.entry.id, "sent");
    expect(queue.stats()).toMatchObject({ items: 0, sentNumber: 1 });
    await queue.close();
  });

  it("stays within its limits when many items arrive at once", async () => {
    const queue = await workbench().open({ maxItems: 10, whenFull: "reject-new" });
    const results = await Promise.all(
      Array.from({ length: 50 }, () => queue.enqueue({ kind: "a", body: body(1) })),
    );
    expect(results.filter(({ dropped }) => !dropped)).toHaveLength(10);
    expect(new Set(results.map(({ id }) => id)).size).toBe(50);
    await queue.close();
  });

  it("finds pending items after a restart, and never reuses an id, even if all items were deleted", async () => {
    const { open } = workbench();
    const ids: string[] = [];
    for (let run = 0; run < 3; run++) {
      const queue = await open();
      for (let i = 0; i < 3; i++) ids.push((await queue.enqueue({ kind: `${run}`, body: body(1) })).id);
      if (run === 1) await drain(queue);
      await queue.close();
    }
    expect(new Set(ids).size).toBe(9);
    expect(ids[0]).toMatch(/^gate-1-[0-9a-f]{12}-1$/);
    const queue = await open();
    expect(await drain(queue)).toEqual(["2", "2", "2"]);
    await queue.close();
  });

  it("C8: reuses no id after the site's data was cleared", async () => {
    const ids = new Set<string>();
    for (let run = 0; run < 3; run++) {
      const queue = await workbench().open();
      ids.add((await queue.enqueue({ kind: "a", body: body(1) })).id);
      await queue.close();
    }
    expect(ids.size).toBe(3);
  });

  it("counts an item that the store no longer has as lost, and continues with the next", async () => {
    const { open, store } = workbench();
    const queue = await open();
    const { id } = await queue.enqueue({ kind: "gone", body: body(1) });
    await queue.enqueue({ kind: "there", body: body(1) });
    await store.delete([id]);
    expect((await queue.next())?.entry.kind).toBe("there");
    expect(queue.stats().droppedNumber.lost).toBe(1);
    await queue.close();
  });

  it("finishes pending calls when closed twice, and rejects later ones", async () => {
    const { open, store } = workbench();
    const queue = await open();
    const queued = queue.enqueue({ kind: "a", body: body(1) });
    await Promise.all([queue.close(), queue.close()]);
    await expect(queued).resolves.not.toHaveProperty("dropped");
    await expect(queue.enqueue({ kind: "b", body: body(1) })).rejects.toMatchObject({ code: "disposed" });
    await expect(queue.next()).rejects.toBeInstanceOf(SednaError);
    expect((await store.open()).entries).toHaveLength(1);
  });

  it("rejects an invalid item", async () => {
    const queue = await workbench().open();
    await expect(queue.enqueue({ kind: "", body: body(1) })).rejects.toThrow("expected kind to be a string");
    await expect(queue.enqueue({ kind: "a", body: "text" as unknown as Uint8Array })).rejects.toThrow(
      TypeError,
    );
    await expect(queue.enqueue({ kind: "a", body: body(1), priority: NaN })).rejects.toThrow(RangeError);
    await expect(queue.enqueue({ kind: "a", body: body(1), ttlMs: 0 })).rejects.toThrow(RangeError);
    await expect(openQueue({ store: memoryQueueStore(), deviceId: "" })).rejects.toThrow(TypeError);
    await queue.close();
  });
});

it("C6: stays within its limits, counts exactly, and drains in order after 6 h offline at one item per second", async () => {
  const { open, pass, events } = workbench();
  const queue = await open({ maxItems: 10_000, maxBytes: 5_000_000, ttlMs: 2 * HOUR });
  const seconds = 6 * 3600;
  for (let i = 0; i < seconds; i++) {
    await queue.enqueue({ kind: String(i), body: body(500) });
    pass(1000);
    const { items, bytes } = queue.stats();
    if (items > 10_000 || bytes > 5_000_000) throw new Error(`${items} items of ${bytes} bytes after ${i} s`);
  }
  const { items, queuedNumber, droppedNumber, oldestAgeMs } = queue.stats();
  // Two hours at one item per second leave 7200 items, including the newest. The limits were never reached.
  expect({ items, queuedNumber, droppedNumber }).toEqual({
    items: 7200,
    queuedNumber: seconds,
    droppedNumber: { full: 0, expired: seconds - 7200, "storage-full": 0, rejected: 0, lost: 0 },
  });
  expect(oldestAgeMs).toBe(2 * HOUR);
  expect(events.filter(({ type }) => type === "item-dropped")).toHaveLength(seconds - 7200);
  const sent = await drain(queue);
  expect(sent).toEqual(Array.from({ length: 7199 }, (_, i) => String(seconds - 7199 + i)));
  expect(queue.stats()).toMatchObject({
    items: 0,
    sentNumber: 7199,
    droppedNumber: { expired: seconds - 7199 },
  });
  await queue.close();
});

describe("C15: clock jumps", () => {
  it("C15: ignores a wall clock that jumps an hour either way while the queue is open", async () => {
    const { open, pass, time } = workbench();
    const queue = await open({ ttlMs: 1000 });
    await queue.enqueue({ kind: "a", body: body(1) });
    for (const jump of [HOUR, -2 * HOUR]) {
      time.wall += jump;
      pass(400);
      expect(queue.stats()).toMatchObject({ items: 1 });
      expect(await queue.next().then((item) => item && queue.release(item.entry.id))).toBeUndefined();
      expect(queue.stats().items).toBe(1);
    }
    pass(200);
    expect(await queue.next()).toBeUndefined();
    expect(queue.stats().droppedNumber.expired).toBe(1);
    await queue.close();
  });

  it("C15: does not expire all items if the clock jumps ahead during a restart", async () => {
    const { open, restart } = workbench();
    const first = await open({ ttlMs: HOUR });
    await first.enqueue({ kind: "a", body: body(1) });
    await first.close();
    restart(10 * HOUR);
    const queue = await open({ ttlMs: HOUR });
    expect(queue.stats()).toMatchObject({ items: 1, oldestAgeMs: HOUR / 2 });
    await queue.close();
  });

  it("C15: does not keep items forever if the clock jumps back at each restart", async () => {
    const { open, restart, pass } = workbench();
    let queue = await open({ ttlMs: HOUR });
    await queue.enqueue({ kind: "a", body: body(1) });
    for (let run = 0; run < 40; run++) {
      pass(95_000);
      await queue.next().then((item) => item && queue.release(item.entry.id));
      await queue.close();
      // As on a device without a battery, whose clock starts at the same time after each restart.
      restart(-95_000 - HOUR);
      queue = await open({ ttlMs: HOUR });
    }
    expect(queue.stats().items).toBe(0);
    await queue.close();
  });

  it("C15: counts the time between runs if the clock is correct", async () => {
    const { open, restart } = workbench();
    const first = await open({ ttlMs: 10 * HOUR });
    await first.enqueue({ kind: "short", ttlMs: 2 * HOUR, body: body(1) });
    await first.enqueue({ kind: "long", body: body(1) });
    await first.close();
    restart(3 * HOUR);
    const queue = await open({ ttlMs: 10 * HOUR });
    expect(queue.stats()).toMatchObject({ oldestAgeMs: 3 * HOUR, items: 1, droppedNumber: { expired: 1 } });
    await queue.close();
  });
});
