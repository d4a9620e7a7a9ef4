import { describe, expect, it } from "vitest";
import {
  aggregated,
  accepted,
  federation,
  joined,
  left,
  names,
  namesOf,
  rejected,
  ticked,
} from "./federation-fixture.suite.ts";
import { nextTick } from "./next-tick.ts";

describe("buffered rounds", () => {
  const buffered = (more: Partial<{ bufferSize: number; maxStaleness: number; concurrency: number }> = {}) =>
    federation({
      buffered: { bufferSize: 2, maxStaleness: 1, concurrency: 3, ...more },
      minFraction: 1,
      selector: { method: "Simple" },
    });

  it("keep exactly `concurrency` clients at work", () => {
    const fed = buffered();
    fed.after(...names(5).map((name) => joined(name)));
    expect(namesOf(fed.state.assignments)).toEqual(["c0", "c1", "c2"]);
    expect(fed.task("c3")).toMatchObject({ kind: "wait" });
    expect(fed.rejection("c3")).toBe("not-selected");
    fed.after(left("c0", 1));
    expect(namesOf(fed.state.assignments)).toEqual(["c0", "c1", "c2", "c3"]);
  });
  it("make a model from every `bufferSize` updates while the other clients continue to train", () => {
    const fed = buffered();
    fed.after(...names(5).map((name) => joined(name)), accepted("c0", 1), accepted("c1", 2));
    expect(fed.effects.at(-1)).toEqual({
      type: "aggregate",
      round: 1,
      clients: expect.arrayContaining(["c0", "c1"]),
    });
    const before = fed.task("c2", 3);
    fed.after(aggregated(1, 3));
    expect(fed.task("c2", 3)).toEqual(before);
    expect(before).toMatchObject({ kind: "train", round: 1, modelVersion: 0 });
    // c3 got the slot of c0 when the update of c0 was accepted; the slot of c1 became free when the next
    // buffer started.
    expect(fed.task("c3")).toMatchObject({ kind: "train", round: 1, modelVersion: 0 });
    expect(fed.task("c0")).toMatchObject({ kind: "train", round: 2, modelVersion: 1 });
    expect(fed.task("c1")).toMatchObject({ kind: "wait", round: 2 });
    fed.after(accepted("c2", 4));
    expect(fed.accepted).toEqual(["c2"]);
    expect(fed.task("c1", 4)).toMatchObject({ kind: "train", round: 2, modelVersion: 1 });
  });
  it("reject an update that is too stale and assign the latest model to its client", () => {
    const fed = buffered({ maxStaleness: 0 });
    fed.after(
      ...names(3).map((name) => joined(name)),
      accepted("c0", 1),
      accepted("c1", 2),
      aggregated(1, 3),
    );
    expect(fed.rejection("c2", 1)).toBe("wrong-round");
    expect(fed.task("c2", 3)).toMatchObject({ kind: "train", round: 2, modelVersion: 1 });
    fed.after(accepted("c2", 4));
    expect(fed.accepted).toEqual([]);
  });
  it("accept at most one update per client and buffer", () => {
    const fed = buffered();
    fed.after(...names(3).map((name) => joined(name)), accepted("c0", 1), accepted("c0", 2));
    expect(fed.types).toEqual(["open"]);
    expect(fed.rejection("c0")).toBe("duplicate");
  });
  it("free the slot of a client that is too late or in quarantine", () => {
    const fed = federation({
      buffered: { bufferSize: 2, maxStaleness: 9, concurrency: 2 },
      minFraction: 0.5,
      strikes: 1,
      selector: { method: "Simple" },
    });
    fed.after(joined("slow"), joined("bad"), joined("idle"), rejected("bad", 1));
    expect(namesOf(fed.state.assignments)).toEqual(["idle", "slow"]);
    expect(nextTick(fed.state)).toBe(10_000);
    fed.after(accepted("idle", 5000), ticked(10_000));
    expect(fed.types).toEqual(["aggregate"]);
    fed.after(aggregated(1, 10_001));
    expect(fed.task("slow", 10_001)).toMatchObject({
      kind: "train",
      round: 2,
      modelVersion: 1,
      remainingMs: 10_000,
    });
  });
  it("close at their deadline too", () => {
    const fed = buffered();
    fed.after(...names(3).map((name) => joined(name)), accepted("c0", 1), ticked(10_000));
    expect(fed.types).toEqual(["open", "abandon", "open"]);
  });
});
