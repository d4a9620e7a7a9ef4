import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advanceFallbackChain,
  RESET_AFTER_MS,
  RETRY_DELAY_MS,
  RESTARTS,
  backendOf,
  startFallbackChain,
  type FallbackChain,
  type FallbackEvent,
} from "./fallback-chain.ts";
import type { Backend } from "./supervised-model.ts";

const browser = (): FallbackChain => startFallbackChain(["webgpu", "wasm"], 0);
const after = (ladder: FallbackChain, ...events: FallbackEvent[]): FallbackChain =>
  events.reduce(advanceFallbackChain, ladder);
const failed = (at: number, final = false): FallbackEvent => ({ type: "failed", at, final });
const minutes = (count: number): number => count * 60_000;

describe("the ladder", () => {
  it("retries WebGPU once, then falls back to WASM, and to the cloud after the fourth failure in a minute", () => {
    const backends = [1, 2, 3, 4, 5, 6].map((count) =>
      backendOf(after(browser(), ...Array.from({ length: count }, (_, i) => failed(i)))),
    );
    expect(backends).toEqual(["webgpu", "wasm", "wasm", "wasm", "wasm", "cloud"]);
  });

  it("returns from the cloud soon at first, and with increasing delays while that fails", () => {
    let ladder = after(startFallbackChain(["cpu"], 0), ...[0, 1, 2, 3].map((at) => failed(at)));
    expect([backendOf(ladder), ladder.retryAt]).toEqual(["cloud", 3 + RETRY_DELAY_MS.firstAboveCloud]);
    const pauses: number[] = [];
    for (let i = 0; i < 10; i++) {
      const at = ladder.retryAt!;
      ladder = advanceFallbackChain(ladder, { type: "retry-failed", at, to: 0 });
      pauses.push((ladder.retryAt! - at) / 1000);
    }
    expect(pauses).toEqual([20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
  });

  it("ignores failures that are long past", () => {
    const rare = Array.from({ length: 50 }, (_, i) => failed(minutes(5) * i));
    expect(backendOf(after(browser(), ...rare))).toBe("webgpu");
    expect(
      backendOf(
        after(startFallbackChain(["cpu"], 0), ...Array.from({ length: 90 }, (_, i) => failed(20_000 * i))),
      ),
    ).toBe("cpu");
    expect(
      backendOf(
        after(startFallbackChain(["cpu"], 0), ...Array.from({ length: 90 }, (_, i) => failed(19_000 * i))),
      ),
    ).toBe("cloud");
  });

  it("does not retry a backend after a final failure", () => {
    expect(backendOf(after(browser(), failed(0, true)))).toBe("wasm");
    expect(backendOf(after(browser(), failed(0, true), failed(0, true)))).toBe("cloud");
  });

  it("retries the better backend after 5 minutes, and doubles the delay up to an hour while it fails", () => {
    const down = after(browser(), failed(0), failed(1000));
    expect(down.retryAt).toBe(1000 + minutes(5));
    const pauses: number[] = [];
    let ladder = down;
    for (let i = 0; i < 6; i++) {
      const at = ladder.retryAt!;
      ladder = advanceFallbackChain(ladder, { type: "retry-failed", at, to: 0 });
      pauses.push(ladder.retryAt! - at);
    }
    expect(pauses).toEqual([10, 20, 40, 60, 60, 60].map(minutes));
  });

  it("treats a backend that fails soon after a switch to it as one that keeps failing", () => {
    const up = after(browser(), failed(0), failed(0), { type: "retry-succeeded", at: minutes(5), to: 0 });
    expect(up).toMatchObject({ index: 0, retryAt: null });
    expect(after(up, failed(minutes(6)), failed(minutes(6))).retryAt).toBe(minutes(6 + 10));
    const late = minutes(5) + RESET_AFTER_MS;
    expect(after(up, failed(late, true)).retryAt).toBe(late + RETRY_DELAY_MS.first);
  });

  it("switches back one backend at a time", () => {
    const cloud = after(browser(), failed(0, true), failed(0, true));
    const wasm = advanceFallbackChain(cloud, { type: "retry-succeeded", at: minutes(5), to: 1 });
    expect([backendOf(wasm), wasm.retryAt]).toEqual(["wasm", minutes(10)]);
    expect(backendOf(advanceFallbackChain(wasm, { type: "retry-succeeded", at: minutes(10), to: 0 }))).toBe(
      "webgpu",
    );
  });

  it("ignores a switch that ends after a better backend is in use", () => {
    const ladder = browser();
    expect(advanceFallbackChain(ladder, { type: "retry-succeeded", at: 1, to: 0 })).toBe(ladder);
    expect(advanceFallbackChain(ladder, { type: "retry-failed", at: 1, to: 0 })).toBe(ladder);
  });

  it("uses the cloud if no backend is available", () => {
    expect(startFallbackChain([], 0)).toMatchObject({ backends: ["cloud"], index: 0, retryAt: null });
    expect(backendOf(after(startFallbackChain(["cloud"], 0), failed(1)))).toBe("cloud");
  });

  const backends = fc.subarray<Backend>(["webgpu", "wasm", "cpu"], { minLength: 1 });
  const steps = fc.array(
    fc.record({
      wait: fc.integer({ min: 0, max: 600_000 }),
      what: fc.constantFrom("failed", "final", "retry-succeeded", "retry-failed"),
    }),
    { maxLength: 200 },
  );

  it("never allows a backend more failures than its limit, never leaves it early, and never stays on the cloud forever", () => {
    fc.assert(
      fc.property(backends, steps, (available, history) => {
        let ladder = startFallbackChain(available, 0);
        let at = 0;
        let accepted: number[] = [];
        for (const { wait, what } of history) {
          at += wait;
          const before = ladder;
          const backend = backendOf(before);
          if (what === "failed" || what === "final") {
            ladder = advanceFallbackChain(ladder, failed(at, what === "final"));
            if (backend === "cloud") expect(ladder).toBe(before);
            else {
              accepted = [...accepted.filter((time) => at - time < RESTARTS[backend].withinMs), at];
              const gaveWay = what === "final" || accepted.length > RESTARTS[backend].count;
              expect(ladder.index).toBe(before.index + (gaveWay ? 1 : 0));
              if (gaveWay) accepted = [];
            }
          } else if (before.index > 0) {
            // A switch is tried when it is due.
            at = Math.max(at, before.retryAt!);
            ladder = advanceFallbackChain(ladder, {
              type: what as "retry-succeeded",
              at,
              to: before.index - 1,
            });
            expect(ladder.index).toBe(what === "retry-succeeded" ? before.index - 1 : before.index);
            if (what === "retry-succeeded") accepted = [];
          }
          expect(ladder.retryAt === null).toBe(ladder.index === 0);
          if (ladder.retryAt !== null) expect(ladder.retryAt - at).toBeLessThanOrEqual(RETRY_DELAY_MS.most);
        }
        // From any state, successful switches lead back to the best backend.
        for (let i = 0; ladder.index > 0; i++) {
          expect(i).toBeLessThan(available.length);
          ladder = advanceFallbackChain(ladder, {
            type: "retry-succeeded",
            at: ladder.retryAt!,
            to: ladder.index - 1,
          });
        }
        expect(ladder.index).toBe(0);
      }),
    );
  });

  it("always ends on the cloud if every backend fails", () => {
    fc.assert(
      fc.property(backends, fc.integer({ min: 0, max: 10_000 }), (available, pause) => {
        let ladder = startFallbackChain(available, 0);
        for (let i = 0; i < 4 * available.length; i++)
          ladder = advanceFallbackChain(ladder, failed(i * pause));
        expect(backendOf(ladder)).toBe("cloud");
      }),
    );
  });
});
