import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoff } from "./backoff.ts";

const most = (): number => 1 - Number.EPSILON;

describe("backoff()", () => {
  it("doubles the maximum delay with every failure, up to the cap", () => {
    const longest = [0, 1, 2, 8, 9, 2000].map((tried) =>
      Math.round(backoff({ tried, baseMs: 1000, capMs: 300_000, random: most })),
    );
    expect(longest).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000]);
  });

  it("draws from the whole range: full jitter", () => {
    expect(backoff({ tried: 3, baseMs: 1000, random: () => 0 })).toBe(0);
    expect(backoff({ tried: 3, baseMs: 1000, random: () => 0.5 })).toBe(4000);
  });

  it("returns at least the server's retry delay, and spreads clients", () => {
    expect(backoff({ tried: 0, baseMs: 1000, retryAfterMs: 30_000, random: () => 0 })).toBe(30_000);
    expect(backoff({ tried: 9, baseMs: 1000, retryAfterMs: 30_000, random: () => 0.5 })).toBe(30_500);
  });

  it("grows if the server asks for an immediate retry", () => {
    expect(
      [0, 5].map((tried) => backoff({ tried, baseMs: 1000, retryAfterMs: 0, random: () => 0.5 })),
    ).toEqual([500, 16_000]);
  });

  it("returns a delay that a timer supports, whatever the server sends", () => {
    fc.assert(
      fc.property(
        fc.nat(5000),
        fc.option(fc.double({ noNaN: true, min: 0 }), { nil: undefined }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (tried, retryAfterMs, share) => {
          const wait = backoff({ tried, baseMs: 1000, capMs: 300_000, retryAfterMs, random: () => share });
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThan(2 ** 31);
        },
      ),
    );
  });
});
