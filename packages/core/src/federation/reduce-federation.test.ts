import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import {
  aggregated,
  accepted,
  federation,
  joined,
  left,
  names,
  rejected,
  ticked,
} from "./federation-fixture.suite.ts";
import type { RoundSettings } from "./federation-state.ts";
import { nextTick } from "./next-tick.ts";

const inAnyOrder = (clients: string[]): string[] =>
  expect.toSatisfy((given: string[]) => isDeepStrictEqual(given.toSorted(), clients.toSorted()));

describe("the wait for clients", () => {
  it("ends when as many clients are present as the round selects", () => {
    const fed = federation({ participants: 10 });
    fed.after(...names(12).map((name) => joined(name)));
    expect(fed.types).toEqual([]);
    fed.after(joined("c12", 5));
    expect(fed.effects).toEqual([
      {
        type: "open",
        round: 1,
        modelVersion: 0,
        deadlineAt: 10_005,
        clients: expect.arrayContaining(names(13)),
      },
    ]);
  });
  it("ends after selectionMs with the minimum number of clients, and not with fewer", () => {
    const fed = federation({ participants: 10 });
    fed.after(...names(6).map((name) => joined(name)));
    expect(nextTick(fed.state)).toBeUndefined();
    fed.after(ticked(1000));
    expect(fed.state.phase).toBe("waiting");
    fed.after(joined("c6", 1500));
    expect(fed.types).toEqual(["open"]);
  });
  it("reports when it needs its next tick", () => {
    const fed = federation({ participants: 10 });
    fed.after(...names(7).map((name) => joined(name)));
    expect(nextTick(fed.state)).toBe(1000);
    fed.after(ticked(1000));
    expect(fed.types).toEqual(["open"]);
    expect(nextTick(fed.state)).toBe(11_000);
  });
  it("ignores clients that left, have no samples, or are in quarantine", () => {
    const fed = federation({ participants: 2, overSelect: 1, strikes: 1, selector: { method: "Simple" } });
    fed.after(
      joined("a"),
      left("a", 1),
      joined("b", 2, { numSamples: 0 }),
      joined("c", 3),
      rejected("c", 4),
      joined("d", 5),
    );
    expect(fed.state.phase).toBe("waiting");
    fed.after(joined("e", 6));
    expect(fed.effects).toEqual([expect.objectContaining({ type: "open", clients: inAnyOrder(["d", "e"]) })]);
  });
  it("starts a round for one or two participants immediately: over-selection rounds down", () => {
    const one = federation({ participants: 1 });
    one.after(joined("a"));
    expect(one.types).toEqual(["open"]);
    const two = federation({ participants: 2 });
    two.after(joined("a"), joined("b"));
    expect(two.types).toEqual(["open"]);
  });
});

describe("a quarantine", () => {
  it("ends in time if no round can start without the quarantined clients", () => {
    const fed = federation({
      participants: 2,
      overSelect: 1,
      minFraction: 1,
      strikes: 1,
      quarantineRounds: 2,
    });
    fed.after(joined("a"), joined("b"), rejected("a", 1), ticked(10_000));
    expect(fed.types).toEqual(["open", "quarantine", "abandon"]);
    const ticks: number[] = [];
    for (
      let at = nextTick(fed.state);
      at !== undefined && fed.state.phase === "waiting";
      at = nextTick(fed.state)
    ) {
      ticks.push(at);
      fed.after(ticked(at));
    }
    expect(ticks).toEqual([11_000, 20_000, 30_000]);
    expect(fed.state.phase).toBe("open");
    expect(fed.selected).toEqual(expect.arrayContaining(["a", "b"]));
  });
});

describe("an active round", () => {
  const opened = (settings: Partial<RoundSettings> = {}, clients = 13) => {
    const fed = federation({ participants: 10, ...settings });
    fed.after(...names(clients).map((name) => joined(name)), ticked(1000));
    return fed;
  };
  it("closes as soon as `participants` updates are accepted, even if more clients are selected", () => {
    const fed = opened();
    fed.after(...names(9).map((name) => accepted(name, 2000)));
    expect(fed.types).toEqual([]);
    fed.after(accepted("c9", 2001));
    expect(fed.effects).toEqual([{ type: "aggregate", round: 1, clients: inAnyOrder(names(10)) }]);
    expect(fed.state.open?.closing).toBe(true);
  });
  it("closes when all selected clients are accepted or gone, and not below its minimum", () => {
    const fed = opened({ minFraction: 0.3 }, 5);
    fed.after(accepted("c0", 2000), accepted("c1", 2000), accepted("c2", 2000));
    expect(fed.types).toEqual([]);
    fed.after(left("c3", 2001), left("c4", 2001));
    expect(fed.types).toEqual(["aggregate"]);
    const few = opened({ minFraction: 0.3 }, 5);
    few.after(accepted("c0", 2000), ...["c1", "c2", "c3", "c4"].map((name) => left(name, 2000)));
    expect(few.types).toEqual([]);
  });
  it("C21: closes at its deadline with its minimum of updates", () => {
    const fed = opened();
    fed.after(...names(7).map((name) => accepted(name, 2000)), ticked(9999));
    expect(fed.types).toEqual([]);
    fed.after(ticked(10_000));
    expect(fed.types).toEqual(["aggregate"]);
    fed.after(aggregated(1, 10_500));
    expect(fed.state).toMatchObject({ round: 1, modelVersion: 1 });
    expect(fed.state.history).toEqual([
      {
        round: 1,
        outcome: "aggregated",
        selected: 13,
        accepted: 7,
        rejected: 0,
        totalSamples: 70,
        durationMs: 10_000,
        bytes: 700,
      },
    ]);
  });
  it("C21: is abandoned at its deadline with fewer updates; the model stays and the next attempt has the same number", () => {
    const fed = opened();
    fed.after(...names(6).map((name) => accepted(name, 2000)), ticked(10_000));
    expect(fed.effects[0]).toEqual({ type: "abandon", round: 1, accepted: 6 });
    expect(fed.effects[1]).toMatchObject({ type: "open", round: 1, modelVersion: 0, deadlineAt: 20_000 });
    expect(fed.state).toMatchObject({ round: 0, modelVersion: 0 });
    expect(fed.task("c0")).toMatchObject({ kind: "train", round: 1, accepted: false });
  });
  it("C21: rejects a late update with the matching code and without a strike", () => {
    const fed = opened();
    fed.after(...names(10).map((name) => accepted(name, 2000)));
    expect(fed.rejection("c11")).toBe("round-closed");
    fed.after(aggregated(1, 2000));
    expect(fed.types).toEqual(["open"]);
    expect(fed.rejection("c11")).toBe("wrong-round");
    fed.after(
      rejected("c11", 2001, "wrong-round"),
      rejected("c11", 2002, "wrong-round"),
      rejected("c11", 2003, "wrong-round"),
    );
    expect(fed.client("c11").strikes).toBe(0);
    expect(fed.state.open?.rejected).toBe(3);
  });
  it("accepts one update per client, even after the client rejoins under a newer session", () => {
    const fed = opened();
    fed.after(
      accepted("c0", 2000),
      accepted("c0", 2001),
      left("c0", 2002),
      joined("c0", 2003, { epoch: 2 }),
      accepted("c0", 2004),
    );
    expect(fed.accepted).toEqual(["c0"]);
    expect(fed.state.open!.bytes).toBe(100);
    expect(fed.rejection("c0", 1, 2)).toBe("duplicate");
    expect(fed.rejection("c0", 1, 1)).toBe("session-replaced");
    expect(fed.task("c0")).toMatchObject({ kind: "train", accepted: true });
  });
  it("keeps the accepted update of a client that leaves", () => {
    const fed = opened();
    fed.after(
      ...names(6).flatMap((name) => [accepted(name, 2000), left(name, 2001)]),
      accepted("c6", 2002),
      ticked(10_000),
    );
    expect(fed.types).toEqual(["aggregate"]);
  });
  it("gives the slot of a client that left to a late joiner", () => {
    const fed = opened();
    fed.after(joined("late", 2000));
    expect(fed.rejection("late")).toBe("not-selected");
    expect(fed.task("late")).toMatchObject({ kind: "wait" });
    fed.after(left("c0", 2001), joined("later", 2002));
    expect(fed.rejection("later")).toBeUndefined();
    expect(fed.task("later", 4000)).toEqual({
      kind: "train",
      seq: 1,
      round: 1,
      modelVersion: 0,
      remainingMs: 6000,
      accepted: false,
    });
  });
  it("accepts no late joiners if the settings forbid them", () => {
    const fed = opened({ lateJoiners: false }, 7);
    expect(fed.state.phase).toBe("open");
    fed.after(joined("late", 2000));
    expect(fed.rejection("late")).toBe("not-selected");
  });
  it("accepts an update after an unnoticed deadline, then closes: the update is already in the accumulator", () => {
    const fed = opened();
    fed.after(...names(6).map((name) => accepted(name, 2000)), accepted("c6", 10_001));
    expect(fed.effects).toEqual([{ type: "aggregate", round: 1, clients: inAnyOrder(names(7)) }]);
  });
  it("is abandoned if the model cannot be made", () => {
    const fed = opened();
    fed.after(...names(10).map((name) => accepted(name, 2000)), { type: "failed", at: 2001, round: 1 });
    expect(fed.types).toEqual(["aggregate", "abandon"]);
    expect(fed.state.history[0]).toMatchObject({ outcome: "abandoned", accepted: 10, durationMs: 2000 });
  });
  it("C26: is retried after a delay that grows with each consecutive failure", () => {
    const fed = opened({ selectionMs: 10 });
    for (const [at, pause] of [
      [2000, 1000],
      [3000, 2000],
      [5000, 4000],
    ] as const) {
      fed.after(...names(10).map((name) => accepted(name, at)), { type: "failed", at, round: 1 });
      expect(fed.types).toEqual(["aggregate", "abandon"]);
      expect(nextTick(fed.state)).toBe(at + pause);
      fed.after(ticked(at + pause - 1));
      expect(fed.types).toEqual([]);
      fed.after(ticked(at + pause));
      expect(fed.types).toEqual(["open"]);
    }
  });
});

describe("the end", () => {
  it("is reached once, after round numRounds", () => {
    const fed = federation({ numRounds: 2 });
    fed.after(joined("a"), accepted("a", 1), aggregated(1, 2));
    expect(fed.types).toEqual(["open", "aggregate", "open"]);
    fed.after(
      accepted("a", 3, { round: 2, modelVersion: 1 }),
      aggregated(2, 4),
      aggregated(2, 5),
      ticked(1e9),
      joined("b", 1e9),
    );
    expect(fed.effects.slice(1)).toEqual([{ type: "finish", round: 2, modelVersion: 2 }]);
    expect(fed.state.phase).toBe("done");
    expect(fed.task("a")).toEqual({ kind: "done", seq: 1, round: 2, modelVersion: 2 });
    expect(fed.rejection("a", 3)).toBe("round-closed");
    expect(nextTick(fed.state)).toBeUndefined();
  });
  it("is never reached if numRounds is 0", () => {
    const fed = federation({ numRounds: Infinity });
    fed.after(joined("a"));
    for (let round = 1; round <= 1100; round++)
      fed.after(accepted("a", round, { round, modelVersion: round - 1 }), aggregated(round, round));
    expect(fed.state).toMatchObject({ phase: "open", round: 1100 });
    expect(fed.state.history).toHaveLength(1000);
    expect(fed.state.history.at(-1)).toMatchObject({ round: 1100 });
  });
});

describe("a clock that is set back", () => {
  it("extends a round to at most its full duration from then", () => {
    const fed = federation({});
    fed.after(joined("a", 1e9), ticked(5000));
    expect(nextTick(fed.state)).toBe(15_000);
    fed.after(ticked(15_000));
    expect(fed.types[0]).toBe("abandon");
  });
  it("does not extend the wait for clients", () => {
    const fed = federation({ participants: 10 });
    fed.after(
      ...names(13).map((name) => joined(name, 1e9)),
      ...names(13).map((name) => left(name, 1e9)),
      ticked(2e9),
    );
    expect(fed.types).toEqual(["open", "abandon"]);
    fed.after(...names(9).map((name) => joined(name, 500)), ticked(1499));
    expect(fed.state.phase).toBe("waiting");
    fed.after(ticked(1500));
    expect(fed.state.phase).toBe("open");
  });
});
