import { describe, expect, it } from "vitest";
import { createBatcher } from "./batcher.ts";

const tick = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("createBatcher()", () => {
  it("runs samples that arrive together as one batch and returns each its own result", async () => {
    const runs: number[] = [];
    const batcher = createBatcher<number, number>({
      run: async (samples) => (runs.push(samples.length), samples.map((one) => one * 2)),
      maxBatch: 8,
    });
    expect(await Promise.all([1, 2, 3, 4, 5].map((one) => batcher.submit(one)))).toEqual([2, 4, 6, 8, 10]);
    expect(runs).toEqual([5]);
  });

  it("never runs more than maxBatch samples together and keeps their order", async () => {
    const runs: number[][] = [];
    const batcher = createBatcher<number, number>({
      run: async (samples) => (runs.push([...samples]), [...samples]),
      maxBatch: 2,
    });
    await Promise.all([1, 2, 3, 4, 5].map((one) => batcher.submit(one)));
    expect(runs).toEqual([[1, 2], [3, 4], [5]]);
  });

  it("rejects a sample with a retry delay when the queue is full", async () => {
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const batcher = createBatcher<number, number>({
      run: async (samples) => (await gate, [...samples]),
      maxBatch: 1,
      maxQueue: 2,
    });
    const taken = [batcher.submit(1)];
    await tick();
    taken.push(batcher.submit(2), batcher.submit(3));
    await expect(batcher.submit(4)).rejects.toMatchObject({
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
    open();
    expect(await Promise.all(taken)).toEqual([1, 2, 3]);
  });

  it("isolates a bad sample from the others in its batch", async () => {
    const batcher = createBatcher<number, number>({
      run: async (samples) => {
        if (samples.includes(13)) throw new TypeError("13 does not fit");
        return [...samples];
      },
    });
    const [a, bad, b] = await Promise.allSettled([batcher.submit(1), batcher.submit(13), batcher.submit(2)]);
    expect([a, b]).toEqual([
      { status: "fulfilled", value: 1 },
      { status: "fulfilled", value: 2 },
    ]);
    expect(bad).toMatchObject({ status: "rejected", reason: new TypeError("13 does not fit") });
  });

  it("does not run a sample whose caller has aborted", async () => {
    const ran: number[] = [];
    const batcher = createBatcher<number, number>({
      run: async (samples) => (ran.push(...samples), [...samples]),
    });
    const controller = new AbortController();
    const left = batcher.submit(1, { signal: controller.signal });
    const stayed = batcher.submit(2);
    controller.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    expect(await stayed).toBe(2);
    expect(ran).toEqual([2]);
  });

  it("frees the slot of a caller that aborts", async () => {
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const batcher = createBatcher<number, number>({
      run: async (samples) => (await gate, [...samples]),
      maxBatch: 1,
      maxQueue: 2,
    });
    const running = batcher.submit(0);
    await tick();
    const controller = new AbortController();
    const left = [
      batcher.submit(1, { signal: controller.signal }),
      batcher.submit(2, { signal: controller.signal }),
    ];
    controller.abort(new Error("gone"));
    for (const one of left) await expect(one).rejects.toThrow("gone");
    expect(batcher.waiting).toBe(0);
    const stayed = batcher.submit(3);
    open();
    expect([await running, await stayed]).toEqual([0, 3]);
  });

  it("finishes the accepted samples before it closes and rejects new ones", async () => {
    const batcher = createBatcher<number, number>({ run: async (samples) => (await tick(5), [...samples]) });
    const taken = batcher.submit(1);
    const closed = batcher.close();
    await expect(batcher.submit(2)).rejects.toMatchObject({ code: "disposed" });
    await closed;
    expect(await taken).toBe(1);
  });
});
