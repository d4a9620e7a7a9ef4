import { describe, expect, it } from "vitest";
import { interleaveTimed, stopwatch } from "./timed-rounds.ts";

describe("interleaveTimed()", () => {
  it("takes the contestants' own times, in turn, every other pair the other way round", async () => {
    const order: string[] = [];
    const contestant = (name: string, ms: number) => (): number => (order.push(name), ms);
    const times = await interleaveTimed({ a: contestant("a", 1), b: contestant("b", 2) }, { rounds: 2, runs: 2, warmUp: 1 });
    expect(times).toEqual({ a: [[1, 1], [1, 1]], b: [[2, 2], [2, 2]] });
    expect(order.join("")).toBe("ababbaabba");
  });

  it("stopwatch() waits for what it times", async () => {
    let done = false;
    const ms = await stopwatch(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done = true;
    })();
    expect(done).toBe(true);
    expect(ms).toBeGreaterThan(0);
  });
});
