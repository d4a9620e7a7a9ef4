import { describe, expect, it } from "vitest";
import { clientSelection } from "./client-selection.ts";
import { roundSettings, roundTargets } from "./round-settings.ts";
import { initialFederation } from "./initial-federation.ts";

describe("roundSettings()", () => {
  it("uses Sedna's defaults where they exist, and a deadline", () => {
    expect(roundSettings()).toEqual({
      numRounds: 1,
      participants: 1,
      overSelect: 1.3,
      minFraction: 0.7,
      selectionMs: 10_000,
      deadlineMs: 120_000,
      selector: { method: "Random" },
      lateJoiners: true,
      strikes: 3,
      quarantineRounds: 10,
    });
  });
  it("returns plain data that it accepts again", () => {
    const settings = roundSettings({
      numRounds: Infinity,
      buffered: { bufferSize: 10, maxStaleness: 5, concurrency: 30 },
      selector: { method: "Simple", param: { per_round: "3" } },
    });
    expect(settings.numRounds).toBe(0);
    expect(roundSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
  });
  it.each([
    [{ numRounds: -1 }, RangeError, "set numRounds: expected a whole number from 0 up; got -1"],
    [{ numRounds: 1.5 }, RangeError, "set numRounds"],
    [{ participants: 0 }, RangeError, "set participants: expected a whole number from 1 up; got 0"],
    [{ participants: "3" as never }, TypeError, 'set participants: expected a whole number; got "3"'],
    [{ overSelect: 0.9 }, RangeError, "set overSelect"],
    [{ minFraction: 0 }, RangeError, "set minFraction"],
    [{ minFraction: 1.1 }, RangeError, "set minFraction"],
    [
      { deadlineMs: Infinity },
      RangeError,
      "set deadlineMs: expected a number from 1 to 2147483647; got Infinity",
    ],
    [{ deadlineMs: Number.NaN }, RangeError, "set deadlineMs"],
    [{ deadlineMs: 2 ** 31 }, RangeError, "set deadlineMs"],
    [{ selectionMs: Infinity }, RangeError, "set selectionMs"],
    [{ lateJoiners: 1 as never }, TypeError, "set lateJoiners"],
    [{ strikes: 0 }, RangeError, "set strikes"],
    [{ quarantineRounds: 0 }, RangeError, "set quarantineRounds"],
    [{ buffered: { bufferSize: 0, maxStaleness: 0, concurrency: 1 } }, RangeError, "set buffered.bufferSize"],
    [{ buffered: 3 as never }, TypeError, "set buffered: expected an object; got 3"],
    [
      { selector: { method: "Best" } },
      Error,
      'expected one of Simple, SimpleClientChoose, Random, ByResources; got "Best"',
    ],
    [{ selector: { method: "ByResources", param: { exploration: 2 } } }, RangeError, "exploration"],
    [{ selector: { method: "Simple", param: { per_round: 0 } } }, RangeError, "per_round"],
    [{ selector: { method: "Simple", param: { per_round: {} } } }, TypeError, "per_round"],
    [{ selector: "Random" as never }, TypeError, "set selector"],
    [null as never, TypeError, "set the rounds"],
  ])("refuses %j", (settings, kind, message) => {
    expect(() => roundSettings(settings)).toThrow(kind);
    expect(() => roundSettings(settings)).toThrow(message);
  });
  it("accepts selectors of a custom table", () => {
    expect(
      roundSettings({ selector: { method: "Mine" } }, { ...clientSelection, Mine: () => () => [] }).selector
        .method,
    ).toBe("Mine");
  });
});

describe("roundTargets()", () => {
  it.each([
    [1, 1.3, 0.7, { goal: 1, selection: 1, minimum: 1 }],
    [2, 1.3, 0.7, { goal: 2, selection: 2, minimum: 2 }],
    [10, 1.3, 0.7, { goal: 10, selection: 13, minimum: 7 }],
    [100, 1.15, 0.07, { goal: 100, selection: 115, minimum: 7 }],
    [1000, 1.1, 1, { goal: 1000, selection: 1100, minimum: 1000 }],
    [3, 1, 0.001, { goal: 3, selection: 3, minimum: 1 }],
  ])(
    "are exact for %d participants, overSelect %d and minFraction %d",
    (participants, overSelect, minFraction, targets) => {
      expect(roundTargets(roundSettings({ participants, overSelect, minFraction }))).toEqual(targets);
    },
  );
});

describe("initialFederation()", () => {
  it("rejects a time or seed that is not finite", () => {
    expect(() => initialFederation(roundSettings(), { seed: 1, at: Number.NaN })).toThrow(
      "start a federation: expected a finite number as at; got NaN",
    );
    expect(() => initialFederation(roundSettings(), { seed: Infinity, at: 0 })).toThrow(RangeError);
  });
});
