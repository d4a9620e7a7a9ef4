import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted, federation, joined, left, names, namesOf, refused } from "./federation-fixture.suite.ts";
import { entriesOf, entryOf, rosterOf, withEntry, withoutEntry, type Roster } from "./client-map.ts";

interface Named {
  readonly client: string;
  readonly value: number;
}

describe("a roster", () => {
  it("holds what a map would hold, and changes none that came before", () => {
    const name = fc.oneof(
      fc.constantFrom("__proto__", "constructor", "1", "", "\u{1F980}"),
      fc.integer({ min: 0, max: 60 }).map((i) => `c${i}`),
    );
    fc.assert(
      fc.property(
        fc.array(fc.record({ name, value: fc.option(fc.nat()) }), { maxLength: 200, size: "max" }),
        (steps) => {
          const map = new Map<string, Named>();
          let roster: Roster<Named> = rosterOf();
          for (const { name: client, value } of steps) {
            const [before, kept] = [roster, JSON.stringify(roster)];
            if (value === null) {
              map.delete(client);
              roster = withoutEntry(roster, client);
            } else {
              map.set(client, { client, value });
              roster = withEntry(roster, { client, value });
            }
            expect(JSON.stringify(before)).toBe(kept);
            expect(entryOf(roster, client)).toEqual(map.get(client));
          }
          const sorted = (entries: Iterable<Named>): Named[] =>
            [...entries].toSorted((a, b) => (a.client < b.client ? -1 : 1));
          expect(roster.size).toBe(map.size);
          expect(sorted(entriesOf(roster))).toEqual(sorted(map.values()));
          expect(sorted(entriesOf(rosterOf(map.values())))).toEqual(sorted(map.values()));
        },
      ),
      { seed: 1 },
    );
  }, 60_000);
  it("stays in short lists however many it holds", () => {
    const { lists } = names(10_000).reduce((roster, client) => withEntry(roster, { client }), rosterOf());
    expect(lists.length).toBe(2048);
    expect(Math.max(...lists.map(({ length }) => length))).toBeLessThan(24);
  });
  it("takes the latter of two entries of one name", () =>
    expect(
      entriesOf(
        rosterOf([
          { client: "a", value: 1 },
          { client: "a", value: 2 },
        ]),
      ),
    ).toEqual([{ client: "a", value: 2 }]));
});

describe("a federation that many clients passed through", () => {
  it("forgets who is long gone and did no wrong, and keeps who is there, was counted or is in quarantine", () => {
    const fed = federation({ participants: 3, strikes: 1, choice: { method: "Simple" } });
    fed.after(
      joined("bad"),
      refused("bad", 0),
      left("bad", 0),
      joined("here"),
      joined("counted"),
      joined("third"),
      counted("counted", 0),
      left("counted", 0),
    );
    fed.after(...names(11_000).flatMap((name) => [joined(name), left(name, 0)]));
    expect(fed.state.clients.size).toBeLessThanOrEqual(10_000);
    expect(namesOf(fed.state.clients)).toEqual(
      expect.arrayContaining(["bad", "here", "counted", "third", "c10999"]),
    );
    expect(entryOf(fed.state.clients, "c0")).toBeUndefined();
    // Ids are not given twice.
    expect(fed.client("c10999").id).toBe(11_003);
    fed.after(joined("bad", 1, { epoch: 2 }));
    expect(fed.refusal("bad", 1, 2)).toBe("quarantined");
  }, 60_000);
});
