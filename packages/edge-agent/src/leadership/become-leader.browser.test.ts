import { describe, expect, it } from "vitest";
import { becomeLeader } from "./become-leader.browser.ts";

describe("becomeLeader", () => {
  it("becomes leader at once if there is none, and lets the next one lead when it is aborted", async () => {
    const name = `lead-${performance.timeOrigin}-1`;
    const [first, second] = [new AbortController(), new AbortController()];
    const order: string[] = [];
    await becomeLeader({ name, signal: first.signal });
    const next = becomeLeader({ name, signal: second.signal }).then(() => order.push("second"));
    expect((await navigator.locks.query()).pending?.some((lock) => lock.name === name)).toBe(true);
    order.push("abort");
    first.abort();
    await next;
    expect(order).toEqual(["abort", "second"]);
    second.abort();
    await navigator.locks.request(name, () => undefined);
  });

  it("stops waiting with the signal's reason, and leaves no lock behind", async () => {
    const name = `lead-${performance.timeOrigin}-2`;
    const [first, second] = [new AbortController(), new AbortController()];
    await becomeLeader({ name, signal: first.signal });
    const waiting = becomeLeader({ name, signal: second.signal });
    second.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    await expect(becomeLeader({ name, signal: second.signal })).rejects.toThrow("left");
    first.abort();
    await navigator.locks.request(name, () => undefined);
    expect((await navigator.locks.query()).held?.some((lock) => lock.name === name)).toBe(false);
  });
});
