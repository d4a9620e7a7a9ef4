import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPoller } from "./create-poller.ts";

describe("createPoller()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const times = async (outcomes: { ok: boolean; retryAfterMs?: number }[], { random = 0.5, ms = 0 } = {}) => {
    const at: number[] = [];
    const started = Date.now();
    const poller = createPoller({
      periodMs: 1000,
      random: () => random,
      look: async () => {
        at.push(Date.now() - started);
        return outcomes[at.length - 1] ?? { ok: true };
      },
    });
    poller.start();
    poller.start();
    await vi.advanceTimersByTimeAsync(ms);
    return { at, poller };
  };

  it("polls soon after the start, then once per period", async () => {
    expect((await times([], { ms: 3100 })).at).toEqual([50, 1050, 2050, 3050]);
  });

  it.each([
    [0, [0, 900]],
    [0.999, [99.9, 1199.7]],
  ] as const)("varies the period of each device by a tenth: %d", async (random, expected) => {
    const { at } = await times([], { random, ms: 1300 });
    expect(at.slice(0, 2).map((one, i) => Math.abs(one - expected[i]!) < 2)).toEqual([true, true]);
  });

  it("doubles the delay after each consecutive failure, up to an hour, and obeys Retry-After", async () => {
    const failed = { ok: false };
    expect((await times([failed, failed, { ok: true }], { ms: 8000 })).at).toEqual([50, 2050, 6050, 7050]);
    const { at } = await times(
      Array.from({ length: 40 }, () => failed),
      { ms: 86_400_000 },
    );
    expect(at.at(-1)! - at.at(-2)!).toBe(3_600_000);
    expect((await times([{ ok: false, retryAfterMs: 9000 }], { ms: 9050 })).at).toEqual([50, 9050]);
  });

  it.each([3_600_001, 1e15])(
    "waits exactly one hour if a server requests a delay of %d ms",
    async (retryAfterMs) => {
      const asks = { ok: false, retryAfterMs };
      expect((await times([asks, asks], { ms: 7_200_050 })).at.slice(0, 4)).toEqual([
        50, 3_600_050, 7_200_050,
      ]);
    },
  );

  it("stops, even during a poll, and can be restarted", async () => {
    const { at, poller } = await times([], { ms: 50 });
    poller.stop();
    poller.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(at).toEqual([50]);
    poller.start();
    await vi.advanceTimersByTimeAsync(1050);
    expect(at.length).toBe(3);
    poller.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
