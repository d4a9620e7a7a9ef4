import { describe, expect, it } from "vitest";
import { createPaceLimiter } from "./pace.ts";

describe("createPaceLimiter()", () => {
  it("admits a burst and gives each later request its own retry delay", () => {
    const clock = { ms: 0 };
    const pace = createPaceLimiter({ perSecond: 10, burst: 2, now: () => clock.ms });
    expect([pace.admit(), pace.admit(), pace.admit(), pace.admit(), pace.admit()]).toEqual([
      undefined,
      undefined,
      100,
      200,
      300,
    ]);
    clock.ms = 100;
    expect([pace.admit(), pace.admit()]).toEqual([undefined, 300]);
  });

  it("never admits more requests than the rate allows", () => {
    const clock = { ms: 0 };
    const pace = createPaceLimiter({ perSecond: 50, now: () => clock.ms });
    let admitted = 0;
    for (; clock.ms < 10_000; clock.ms += 1) if (pace.admit() === undefined) admitted++;
    expect(admitted).toBeGreaterThanOrEqual(540);
    expect(admitted).toBeLessThanOrEqual(550);
  });

  it("limits the retry delay to one minute and survives a clock that stops or jumps back", () => {
    const clock = { ms: 1000 };
    const pace = createPaceLimiter({ perSecond: 1, now: () => clock.ms });
    for (let i = 0; i < 1000; i++) expect(pace.admit() ?? 0).toBeLessThanOrEqual(60_000);
    clock.ms = 0;
    expect(pace.admit()).toBe(60_000);
    clock.ms = 1001;
    expect(pace.admit()).toBeUndefined();
  });

  it("throws on a rate that is not positive", () => {
    expect(() => createPaceLimiter({ perSecond: 0 })).toThrow("expected more than 0 requests a second");
  });
});
