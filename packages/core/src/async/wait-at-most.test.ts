import { describe, expect, it, vi } from "vitest";
import { waitAtMost } from "./wait-at-most.ts";

describe("waitAtMost()", () => {
  it("returns the result of work that ends in time, and clears its timer", async () => {
    const timers = { setTimeout: vi.fn(() => "timer"), clearTimeout: vi.fn() };
    expect(await waitAtMost(Promise.resolve(7), 1000, timers)).toBe(7);
    expect(timers.clearTimeout).toHaveBeenCalledWith("timer");
  });

  it("returns undefined when the time is over", async () => {
    expect(await waitAtMost(new Promise(() => {}), 5)).toBeUndefined();
  });

  it("throws what the work rejects with", async () => {
    await expect(waitAtMost(Promise.reject(new Error("no")), 1000)).rejects.toThrow("no");
  });
});
