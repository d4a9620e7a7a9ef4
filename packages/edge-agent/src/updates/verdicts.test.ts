import { describe, expect, it } from "vitest";
import {
  type Baseline,
  type ProbationRecord,
  probationVerdict,
  type ShadowRecord,
  shadowSummary,
  shadowVerdict,
} from "./verdicts.ts";

import { checkUpdaterSettings } from "./updater-settings.ts";

const settings = checkUpdaterSettings({ shadowFrames: 4, probationFrames: 100 });
const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe("shadowVerdict()", () => {
  const shadow = (seen: Partial<ShadowRecord> = {}): ShadowRecord => ({
    agreements: times(4, 1),
    candidateMs: times(4, 20),
    currentMs: times(4, 10),
    failures: [],
    isOver: false,
    ...seen,
  });

  it("waits for its frames, and accepts a candidate that agrees and is not too slow", () => {
    expect(shadowVerdict(shadow({ agreements: times(3, 0) }), settings)).toEqual({ decision: "wait" });
    expect(shadowVerdict(shadow(), settings)).toEqual({ decision: "accept" });
  });

  it("rejects at the first failure", () => {
    expect(
      shadowVerdict(shadow({ agreements: [], failures: ["expected numbers; got NaN"] }), settings),
    ).toEqual({ decision: "refuse", rejection: "shadow-errors", reason: "expected numbers; got NaN" });
  });

  it.each([
    [[1, 1, 0, 0], "accept"],
    [[1, 0.9, 0, 0], "refuse"],
    [[1, 1, 1, NaN], "refuse"],
  ])("evaluates the mean agreement at its threshold: %j: %s", (agreements, decision) => {
    expect(shadowVerdict(shadow({ agreements }), settings).decision).toBe(decision);
  });

  it("rejects a candidate that is slower by the ratio and by more than noise", () => {
    expect(shadowVerdict(shadow({ candidateMs: [19, 900, 900, 900] }), settings).decision).toBe("accept");
    expect(shadowVerdict(shadow({ candidateMs: [21, 21, 21, 900] }), settings)).toMatchObject({
      rejection: "shadow-slower",
      reason: "expected at most 2 times 10 ms a frame; got 21 ms",
    });
    expect(
      shadowVerdict(shadow({ candidateMs: times(4, 6), currentMs: times(4, 1) }), settings).decision,
    ).toBe("accept");
    expect(
      shadowVerdict(shadow({ candidateMs: times(4, 6.1), currentMs: times(4, 1) }), settings).decision,
    ).toBe("refuse");
  });

  it("decides on the available frames when time is up, and accepts without any frames, with an empty summary", () => {
    expect(shadowVerdict(shadow({ agreements: [0.2], isOver: true }), settings)).toMatchObject({
      rejection: "shadow-disagrees",
    });
    const nothing = shadow({ agreements: [], candidateMs: [], currentMs: [], isOver: true });
    expect(shadowVerdict(nothing, settings)).toEqual({ decision: "accept" });
    expect(shadowSummary(nothing)).toEqual({ frames: 0 });
  });

  it("sums up", () => {
    expect(shadowSummary(shadow({ agreements: [1, 0.5, 0, 0.5] }))).toEqual({
      frames: 4,
      agreement: 0.5,
      latencyRatio: 2,
    });
  });
});

describe("probationVerdict()", () => {
  const calm: Baseline = { ms: 10, errorRate: 0, metric: NaN };
  const judge = (seen: Partial<ProbationRecord>, baseline: Partial<Baseline> = {}) =>
    probationVerdict(
      { answersMs: [], errors: 0, errorsInARow: 0, restarts: 0, metric: NaN, isOver: false, ...seen },
      { baseline: { ...calm, ...baseline }, settings },
    );

  it("waits for its frames, then accepts", () => {
    expect(judge({ answersMs: times(99, 10) }).decision).toBe("wait");
    expect(judge({ answersMs: times(100, 10) }).decision).toBe("accept");
    expect(judge({ isOver: true }).decision).toBe("accept");
  });

  it("rolls back as soon as good frames cannot compensate for the share of errors", () => {
    expect(judge({ answersMs: times(10, 10), errors: 5 }).decision).toBe("wait");
    expect(judge({ answersMs: times(10, 10), errors: 6 })).toMatchObject({
      rejection: "errors",
      reason: "expected at most 5 % of the frames to fail; got 6 of 16",
    });
    expect(judge({ answersMs: times(9, 10), errors: 1, isOver: true })).toMatchObject({
      rejection: "errors",
    });
  });

  it("rolls back at five consecutive errors", () => {
    expect(judge({ errors: 4, errorsInARow: 4 }).decision).toBe("wait");
    expect(judge({ errors: 5, errorsInARow: 5 })).toMatchObject({ rejection: "errors" });
  });

  it("rolls back after repeated restarts", () => {
    expect(judge({ restarts: 2, answersMs: times(100, 10) }).decision).toBe("accept");
    expect(judge({ restarts: 3 })).toMatchObject({
      rejection: "errors",
      reason: expect.stringContaining("3 times"),
    });
  });

  it("does not blame a version for samples on which its predecessor failed as well", () => {
    expect(judge({ answersMs: times(60, 10), errors: 40 }, { errorRate: 0.4 }).decision).toBe("accept");
    expect(judge({ errors: 100, errorsInARow: 100 }, { errorRate: 1 }).decision).toBe("accept");
  });

  it("rolls back if the version is slower, once there are enough frames", () => {
    expect(judge({ answersMs: times(19, 90) }).decision).toBe("wait");
    expect(judge({ answersMs: times(20, 90) })).toMatchObject({ rejection: "slower" });
    expect(judge({ answersMs: times(100, 90) }, { ms: NaN }).decision).toBe("accept");
  });

  it("rolls back if the watched metric falls, and not if it is unknown", () => {
    expect(judge({ answersMs: times(20, 10), metric: 0.7 }, { metric: 0.8 })).toMatchObject({
      rejection: "metric",
      reason: "expected the watched metric to stay at 0.72 or above; got 0.7",
    });
    expect(judge({ answersMs: times(20, 10), metric: -1.2 }, { metric: -1 })).toMatchObject({
      rejection: "metric",
    });
    expect(judge({ answersMs: times(20, 10), metric: 0.75 }, { metric: 0.8 }).decision).toBe("wait");
    expect(judge({ answersMs: times(20, 10), metric: NaN }, { metric: 0.8 }).decision).toBe("wait");
    expect(judge({ isOver: true, metric: 0 }, { metric: 0.8 }).decision).toBe("accept");
  });
});

describe("checkUpdaterSettings()", () => {
  it("fills in defaults, and rejects a value out of range by its name", () => {
    expect(checkUpdaterSettings()).toMatchObject({ pollMs: 60_000, shadowFrames: 20, maxLatencyRatio: 2 });
    expect(() => checkUpdaterSettings({ minAgreement: 1.5 })).toThrow(
      new RangeError("set minAgreement: expected a number from 0 to 1; got 1.5"),
    );
    expect(() => checkUpdaterSettings({ pollMs: NaN })).toThrow(RangeError);
    expect(() => checkUpdaterSettings({ drainMs: "9" as never })).toThrow(RangeError);
  });
});
