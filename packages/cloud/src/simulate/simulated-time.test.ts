import { describe, expect, it } from "vitest";
import { createSimulatedTime } from "./simulated-time.ts";

describe("simulated time", () => {
  it("runs tasks in the order of their times, and tasks of the same time in the order in which they were set", async () => {
    const time = createSimulatedTime({ start: 100 });
    const seen: string[] = [];
    const times = [7, 3, 9, 3, 0, 100, 8, 3, 1];
    for (const [i, ms] of times.entries())
      time.timers.set(() => void seen.push(`${ms}.${i} at ${time.now()}`), ms);
    await time.run(() => false);
    expect(seen).toEqual([
      "0.4 at 100",
      "1.8 at 101",
      "3.1 at 103",
      "3.3 at 103",
      "3.7 at 103",
      "7.0 at 107",
      "8.6 at 108",
      "9.2 at 109",
      "100.5 at 200",
    ]);
  });
  it("stands still while a task is awaited, and never goes back", async () => {
    const time = createSimulatedTime();
    const seen: number[] = [];
    time.at(5, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      time.at(1, () => void seen.push(time.now()));
      seen.push(time.now());
    });
    time.at(6, () => void seen.push(time.now()));
    await time.run(() => false);
    expect(seen).toEqual([5, 5, 6]);
  });
  it("skips a cleared task, ends when isDone() returns true, and throws a task's error", async () => {
    const time = createSimulatedTime();
    let rang = 0;
    time.timers.clear(time.timers.set(() => void (rang += 100), 1));
    for (let i = 2; i < 10; i++) time.at(i, () => void rang++);
    await time.run(() => rang === 3);
    expect([rang, time.now()]).toEqual([3, 4]);
    time.at(20, () => Promise.reject(new Error("the roof")));
    await expect(time.run(() => false)).rejects.toThrow("the roof");
  });
});
