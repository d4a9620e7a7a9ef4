import { describe, expect, it } from "vitest";
import { createSerialQueue } from "./serial-queue.ts";

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("createSerialQueue()", () => {
  it("runs tasks one at a time, in order", async () => {
    const queue = createSerialQueue();
    const log: string[] = [];
    const task = (name: string, ms: number) =>
      queue.run(async () => {
        log.push(`+${name}`);
        await wait(ms);
        log.push(`-${name}`);
        return name;
      });
    expect(await Promise.all([task("a", 10), task("b", 1), task("c", 1)])).toEqual(["a", "b", "c"]);
    expect(log).toEqual(["+a", "-a", "+b", "-b", "+c", "-c"]);
  });

  it("continues after a task that is rejected", async () => {
    const queue = createSerialQueue();
    const bad = queue.run(() => Promise.reject(new Error("bad run")));
    const good = queue.run(async () => "good");
    await expect(bad).rejects.toThrow("bad run");
    expect(await good).toBe("good");
  });

  it("skips a task that is aborted before its turn", async () => {
    const queue = createSerialQueue();
    const controller = new AbortController();
    let ran = false;
    const first = queue.run(() => wait(10));
    const second = queue.run(async () => void (ran = true), { signal: controller.signal });
    controller.abort(new Error("changed my mind"));
    await expect(second).rejects.toThrow("changed my mind");
    await first;
    expect(ran).toBe(false);
    expect(queue.size).toBe(0);
  });

  it("rejects waiting tasks and later tasks after close()", async () => {
    const queue = createSerialQueue();
    const running = queue.run(async () => (await wait(5), "done"));
    const waiting = queue.run(async () => "never");
    await wait(1);
    const closing = queue.close();
    await expect(waiting).rejects.toMatchObject({ code: "disposed" });
    expect(await running).toBe("done");
    await closing;
    await expect(queue.run(async () => 1)).rejects.toMatchObject({ code: "disposed" });
  });
});
