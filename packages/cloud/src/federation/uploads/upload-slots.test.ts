import { describe, expect, it } from "vitest";
import { manualClock } from "../../../../../testing/fakes/manual-clock.ts";
import { createUploadSlots } from "./upload-slots.ts";

describe("createUploadSlots()", () => {
  it("starts the next client too if an upload replaces its own client's other one", async () => {
    const clock = manualClock();
    const slots = createUploadSlots({
      slots: 2,
      maxWaiting: 8,
      allocateBuffer: () => {
        const bytes = new Uint8Array(8);
        return { bytes: () => bytes, dispose() {}, [Symbol.dispose]() {} };
      },
      idleMs: 1000,
      now: clock.now,
      timers: clock.timers,
    });
    const take = (client: string) =>
      slots.take({ member: { client, epoch: 1 }, round: 1, total: 8, offset: 0 });
    const [a, b] = [await take("a"), await take("b")];
    const started: string[] = [];
    const waiting = ["c", "c", "d"].map((client) =>
      take(client).then((slot) => (started.push(client), slot)),
    );
    a!.free();
    await waiting[0];
    b!.free();
    await Promise.all(waiting);
    expect(started).toEqual(["c", "c", "d"]);
    expect(slots.taken).toBe(2);
    slots.close();
  });
});
