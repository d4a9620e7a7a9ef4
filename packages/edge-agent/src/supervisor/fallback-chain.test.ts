import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  climbLadder,
  FORGET_MS,
  PAUSE_MS,
  RESTARTS,
  rungOf,
  startLadder,
  type Ladder,
  type LadderEvent,
} from "./fallback-chain.ts";
import type { Rung } from "./supervised-model.ts";

const browser = (): Ladder => startLadder(["webgpu", "wasm"], 0);
const after = (ladder: Ladder, ...events: LadderEvent[]): Ladder => events.reduce(climbLadder, ladder);
const failed = (at: number, final = false): LadderEvent => ({ type: "failed", at, final });
const minutes = (count: number): number => count * 60_000;

describe("the ladder", () => {
  it("tries WebGPU once more, then WASM, and the cloud after the fourth failure of a minute", () => {
    const rungs = [1, 2, 3, 4, 5, 6].map((count) =>
      rungOf(after(browser(), ...Array.from({ length: count }, (_, i) => failed(i)))),
    );
    expect(rungs).toEqual(["webgpu", "wasm", "wasm", "wasm", "wasm", "cloud"]);
  });

  it("comes back from the cloud soon at first, and ever later while that is in vain", () => {
    let ladder = after(startLadder(["cpu"], 0), ...[0, 1, 2, 3].map((at) => failed(at)));
    expect([rungOf(ladder), ladder.climbAt]).toEqual(["cloud", 3 + PAUSE_MS.firstAboveCloud]);
    const pauses: number[] = [];
    for (let i = 0; i < 10; i++) {
      const at = ladder.climbAt!;
      ladder = climbLadder(ladder, { type: "climb-failed", at, to: 0 });
      pauses.push((ladder.climbAt! - at) / 1000);
    }
    expect(pauses).toEqual([20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
  });

  it("forgets failures that are long past", () => {
    const rare = Array.from({ length: 50 }, (_, i) => failed(minutes(5) * i));
    expect(rungOf(after(browser(), ...rare))).toBe("webgpu");
    expect(
      rungOf(after(startLadder(["cpu"], 0), ...Array.from({ length: 90 }, (_, i) => failed(20_000 * i)))),
    ).toBe("cpu");
    expect(
      rungOf(after(startLadder(["cpu"], 0), ...Array.from({ length: 90 }, (_, i) => failed(19_000 * i)))),
    ).toBe("cloud");
  });

  it("does not try again where the failure would be the same", () => {
    expect(rungOf(after(browser(), failed(0, true)))).toBe("wasm");
    expect(rungOf(after(browser(), failed(0, true), failed(0, true)))).toBe("cloud");
  });

  it("tries the better rung after 5 minutes, and after twice the time, to an hour, when it keeps failing", () => {
    const down = after(browser(), failed(0), failed(1000));
    expect(down.climbAt).toBe(1000 + minutes(5));
    const pauses: number[] = [];
    let ladder = down;
    for (let i = 0; i < 6; i++) {
      const at = ladder.climbAt!;
      ladder = climbLadder(ladder, { type: "climb-failed", at, to: 0 });
      pauses.push(ladder.climbAt! - at);
    }
    expect(pauses).toEqual([10, 20, 40, 60, 60, 60].map(minutes));
  });

  it("counts a rung that fails right after it was climbed as one that keeps failing", () => {
    const up = after(browser(), failed(0), failed(0), { type: "climbed", at: minutes(5), to: 0 });
    expect(up).toMatchObject({ index: 0, climbAt: null });
    expect(after(up, failed(minutes(6)), failed(minutes(6))).climbAt).toBe(minutes(6 + 10));
    const late = minutes(5) + FORGET_MS;
    expect(after(up, failed(late, true)).climbAt).toBe(late + PAUSE_MS.first);
  });

  it("goes up again rung by rung", () => {
    const cloud = after(browser(), failed(0, true), failed(0, true));
    const wasm = climbLadder(cloud, { type: "climbed", at: minutes(5), to: 1 });
    expect([rungOf(wasm), wasm.climbAt]).toEqual(["wasm", minutes(10)]);
    expect(rungOf(climbLadder(wasm, { type: "climbed", at: minutes(10), to: 0 }))).toBe("webgpu");
  });

  it("stays where it is when a climb ends after something better has come about", () => {
    const ladder = browser();
    expect(climbLadder(ladder, { type: "climbed", at: 1, to: 0 })).toBe(ladder);
    expect(climbLadder(ladder, { type: "climb-failed", at: 1, to: 0 })).toBe(ladder);
  });

  it("is on the cloud where nothing fits", () => {
    expect(startLadder([], 0)).toMatchObject({ rungs: ["cloud"], index: 0, climbAt: null });
    expect(rungOf(after(startLadder(["cloud"], 0), failed(1)))).toBe("cloud");
  });

  const rungs = fc.subarray<Rung>(["webgpu", "wasm", "cpu"], { minLength: 1 });
  const steps = fc.array(
    fc.record({
      wait: fc.integer({ min: 0, max: 600_000 }),
      what: fc.constantFrom("failed", "final", "climbed", "climb-failed"),
    }),
    { maxLength: 200 },
  );

  it("never allows more failures on a rung than its limit, never leaves it early, and is never on the cloud for ever", () => {
    fc.assert(
      fc.property(rungs, steps, (available, history) => {
        let ladder = startLadder(available, 0);
        let at = 0;
        let counted: number[] = [];
        for (const { wait, what } of history) {
          at += wait;
          const before = ladder;
          const rung = rungOf(before);
          if (what === "failed" || what === "final") {
            ladder = climbLadder(ladder, failed(at, what === "final"));
            if (rung === "cloud") expect(ladder).toBe(before);
            else {
              counted = [...counted.filter((time) => at - time < RESTARTS[rung].withinMs), at];
              const gaveWay = what === "final" || counted.length > RESTARTS[rung].count;
              expect(ladder.index).toBe(before.index + (gaveWay ? 1 : 0));
              if (gaveWay) counted = [];
            }
          } else if (before.index > 0) {
            // A climb is tried when it is due.
            at = Math.max(at, before.climbAt!);
            ladder = climbLadder(ladder, { type: what as "climbed", at, to: before.index - 1 });
            expect(ladder.index).toBe(what === "climbed" ? before.index - 1 : before.index);
            if (what === "climbed") counted = [];
          }
          expect(ladder.climbAt === null).toBe(ladder.index === 0);
          if (ladder.climbAt !== null) expect(ladder.climbAt - at).toBeLessThanOrEqual(PAUSE_MS.most);
        }
        // Wherever that has led, a world in order again leads back to the best.
        for (let i = 0; ladder.index > 0; i++) {
          expect(i).toBeLessThan(available.length);
          ladder = climbLadder(ladder, { type: "climbed", at: ladder.climbAt!, to: ladder.index - 1 });
        }
        expect(ladder.index).toBe(0);
      }),
    );
  });

  it("always ends on the cloud when everything fails", () => {
    fc.assert(
      fc.property(rungs, fc.integer({ min: 0, max: 10_000 }), (available, pause) => {
        let ladder = startLadder(available, 0);
        for (let i = 0; i < 4 * available.length; i++) ladder = climbLadder(ladder, failed(i * pause));
        expect(rungOf(ladder)).toBe("cloud");
      }),
    );
  });
});
