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
import type { FederationTask } from "../wire/federation.ts";
import { checkUpload } from "./check-upload.ts";
import { allClients } from "./client-map.ts";

describe("C22: malformed updates", () => {
  it("quarantine a client after its last strike, for quarantineRounds rounds", () => {
    const fed = federation({ strikes: 3, quarantineRounds: 2, participants: 1, overSelect: 2 });
    fed.after(joined("bad"), joined("good"), rejected("bad", 1), rejected("bad", 2));
    expect(fed.rejection("bad")).toBeUndefined();
    fed.after(rejected("bad", 3));
    expect(fed.effects).toEqual([{ type: "quarantine", client: "bad", untilRound: 2 }]);
    expect(fed.rejection("bad")).toBe("quarantined");
    expect(fed.task("bad")).toMatchObject({ kind: "wait" });
    fed.after(accepted("bad", 4), accepted("good", 5), aggregated(1, 6), ticked(10_000));
    expect(fed.state.open?.round).toBe(2);
    expect(fed.selected).toEqual(["good"]);
    fed.after(accepted("good", 10_001, { round: 2, modelVersion: 1 }), aggregated(2, 10_002));
    expect(fed.selected).toContain("bad");
    expect(fed.rejection("bad", 3)).toBeUndefined();
  });
  it("quarantine the client again at once if it sends one more after its quarantine", () => {
    const fed = federation({ strikes: 3, quarantineRounds: 1, overSelect: 2 });
    fed.after(joined("bad"), joined("good"), ...[1, 2, 3, 4].map((at) => rejected("bad", at)));
    expect(fed.types.filter((type) => type === "quarantine")).toHaveLength(1);
    fed.after(accepted("good", 5), aggregated(1, 6), rejected("bad", 7));
    expect(fed.types).toEqual(["aggregate", "open", "quarantine"]);
  });
  it("stay recorded when the client joins again, and so does the quarantine", () => {
    const fed = federation({ strikes: 2 });
    fed.after(
      joined("bad"),
      rejected("bad", 1),
      left("bad", 2),
      joined("bad", 3, { epoch: 2 }),
      rejected("bad", 4),
    );
    expect(fed.types).toContain("quarantine");
    fed.after(left("bad", 5, 2), joined("bad", 6, { epoch: 3 }));
    expect(fed.rejection("bad", 1, 3)).toBe("quarantined");
  });
  it("do not remove an accepted update of the client", () => {
    const fed = federation({ participants: 2, strikes: 1 });
    fed.after(joined("a"), joined("b"), accepted("a", 1), rejected("a", 2), accepted("b", 3));
    expect(fed.effects.at(-1)).toEqual({
      type: "aggregate",
      round: 1,
      clients: expect.arrayContaining(["a", "b"]),
    });
  });
});

describe("the rejection code of an update", () => {
  it("is determined in a fixed order: session, quarantine, selection, round number, closed round, duplicate", () => {
    const fed = federation({ participants: 2, overSelect: 1, strikes: 1, selector: { method: "Simple" } });
    fed.after(joined("a"), joined("b"), joined("c"), rejected("c", 1));
    expect(fed.rejection("c", 1, 0)).toBe("session-replaced");
    expect(fed.rejection("c")).toBe("quarantined");
    fed.after(joined("d", 2));
    expect(fed.rejection("d")).toBe("not-selected");
    expect(fed.rejection("d", 2)).toBe("wrong-round");
    expect(fed.rejection("a", 0)).toBe("wrong-round");
    expect(checkUpload(fed.state, { client: "a", epoch: 1, round: 1, modelVersion: 3 })).toBe("wrong-round");
    fed.after(accepted("a", 3));
    expect(fed.rejection("a")).toBe("duplicate");
    fed.after(accepted("b", 4));
    expect(fed.rejection("a")).toBe("round-closed");
  });
  it("is round-closed between two rounds", () => {
    const fed = federation({ participants: 2 });
    fed.after(joined("a"));
    expect(fed.rejection("a")).toBe("round-closed");
    expect(fed.rejection("a", 2)).toBe("wrong-round");
  });
  it("is undefined after a broken connection without a newer session", () => {
    const fed = federation({ participants: 2 });
    fed.after(joined("a"), joined("b"), left("a", 1));
    expect(fed.rejection("a")).toBeUndefined();
  });
  it("is correct for names of object members, such as __proto__", () => {
    const fed = federation({ participants: 2 });
    for (const name of ["__proto__", "constructor", "toString"])
      expect(fed.rejection(name)).toBe("not-selected");
    fed.after(
      joined("__proto__"),
      joined("constructor"),
      accepted("__proto__", 1),
      accepted("constructor", 2),
      aggregated(1, 3),
    );
    expect(fed.state.history).toMatchObject([{ accepted: 2, totalSamples: 20 }]);
    expect(allClients(fed.state.clients).map(({ rounds }) => rounds)).toEqual([1, 1]);
  });
});

describe("C23: a second session of a device", () => {
  it("replaces the first, whose end then changes nothing", () => {
    const fed = federation({ participants: 2 });
    fed.after(joined("a", 0, { epoch: 2 }), left("a", 1, 1), joined("a", 2, { epoch: 1, numSamples: 999 }));
    expect(fed.client("a")).toMatchObject({ present: true, epoch: 2, numSamples: 10 });
  });
});

describe("Sedna's clients", () => {
  it("are always selected, and may send an update to any active round", () => {
    const fed = federation({
      participants: 2,
      overSelect: 1,
      lateJoiners: false,
      selector: { method: "Simple" },
    });
    fed.after(joined("a"), joined("b"), joined("v1", 1, { kind: "sedna-v1", numSamples: 0 }));
    expect(fed.task("v1")).toMatchObject({ kind: "train", round: 1 });
    expect(fed.rejection("v1", 0)).toBeUndefined();
    fed.after(accepted("v1", 2, { round: 0 }), accepted("v1", 3, { round: 1 }));
    expect(fed.accepted).toEqual(["v1"]);
    fed.after(accepted("a", 4), aggregated(1, 5));
    expect(fed.effects.at(-1)).toMatchObject({ type: "open", clients: expect.arrayContaining(["v1", "a"]) });
  });
  it("are rejected in quarantine and between rounds like all other clients", () => {
    const fed = federation({ strikes: 1, participants: 2 });
    fed.after(joined("v1", 0, { kind: "sedna-v1" }));
    expect(fed.rejection("v1", 0)).toBe("round-closed");
    fed.after(joined("b"), rejected("v1", 1));
    expect(fed.rejection("v1", 0)).toBe("quarantined");
  });
});

describe("C19: a polling client", () => {
  it("gets a retryAfterMs that is always the same, and different from that of other clients", () => {
    const fed = federation({ participants: 100 });
    fed.after(...names(50).map((name) => joined(name)));
    const wait = (name: string): number =>
      (fed.task(name, 500) as Extract<FederationTask, { kind: "wait" }>).retryAfterMs;
    const waits = names(50).map(wait);
    expect(waits).toEqual(names(50).map(wait));
    expect(new Set(waits).size).toBeGreaterThan(40);
    for (const ms of waits) expect(ms).toSatisfy((value: number) => value >= 500 && value <= 1000);
  });
});
