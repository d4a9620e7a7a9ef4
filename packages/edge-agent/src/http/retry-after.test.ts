import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRetryAfter } from "./retry-after.ts";

describe("readRetryAfter()", () => {
  const now = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
  it.each([
    ["120", 120_000],
    [" 1 ", 1000],
    ["0", 0],
    ["0.5", 500],
    ["Wed, 21 Oct 2026 07:28:30 GMT", 30_000],
    ["Wed, 21 Oct 2026 07:00:00 GMT", 0],
    [null, undefined],
    ["", undefined],
    ["-5", undefined],
    ["soon", undefined],
    ["2026", 2_026_000],
  ])("reads %j as %j ms", (header, expected) => {
    expect(readRetryAfter(header, now)).toBe(expected);
  });

  it("returns a non-negative time or undefined for any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = readRetryAfter(text, now);
        expect(ms === undefined || ms >= 0).toBe(true);
      }),
    );
  });
});
