import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accepted, federation, joined, left, names, namesOf, rejected } from "./federation-fixture.suite.ts";
import {
  allClients,
  getClient,
  clientMap,
  withClientEntry,
  withoutClientEntry,
  type ClientMap,
} from "./client-map.ts";

interface Named {
  readonly client: string;
  readonly value: number;
}

describe("a roster", () => {
  it("holds the same entries as a Map, and does not modify earlier versions", () => {
    const name = fc.oneof(
      fc.constantFrom("__proto__", "constructor", "1", "", "\u{1F980}"),
      fc.integer({ min: 0, max: 60 }).map((i) => `c${i}`),
    );
    fc.assert(
      fc.property(
        fc.array(fc.record({ name, value: fc.option(fc.nat()) }), { maxLength: 200, size: "max" }),
        (steps) => {
          const map = new Map<string, Named>();
          let roster: ClientMap<Named> = clientMap();
          for (const { name: client, value } of steps) {
            const [before, kept] = [roster, JSON.stringify(roster)];
            if (value === null) {
              map.delete(client);
              roster = withoutClientEntry(roster, client);
            } else {
              map.set(client, { client, value });
              roster = withClientEntry(roster, { client, value });
            }
            expect(JSON.stringify(before)).toBe(kept);
            expect(getClient(roster, client)).toEqual(map.get(client));
          }
          const sorted = (entries: Iterable<Named>): Named[] =>
            [...entries].toSorted((a, b) => (a.client < b.client ? -1 : 1));
          expect(roster.size).toBe(map.size);
          expect(sorted(allClients(roster))).toEqual(sorted(map.values()));
          expect(sorted(allClients(clientMap(map.values())))).toEqual(sorted(map.values()));
        },
      ),
      { seed: 1 },
    );
  }, 60_000);
  it("keeps its lists short at any size", () => {
    const { lists } = names(10_000).reduce(
      (roster, client) => withClientEntry(roster, { client }),
      clientMap(),
    );
    expect(lists.length).toBe(2048);
    expect(Math.max(...lists.map(({ length }) => length))).toBeLessThan(24);
  });
  it("keeps the last of two entries with the same name", () =>
    expect(
      allClients(
        clientMap([
          { client: "a", value: 1 },
          { client: "a", value: 2 },
        ]),
      ),
    ).toEqual([{ client: "a", value: 2 }]));
});

describe("a federation with many past clients", () => {
  it("forgets absent clients without strikes, and keeps clients that are present, accepted or in quarantine", () => {
    const fed = federation({ participants: 3, strikes: 1, selector: { method: "Simple" } });
    fed.after(
      joined("bad"),
      rejected("bad", 0),
      left("bad", 0),
      joined("here"),
      joined("accepted"),
      joined("third"),
      accepted("accepted", 0),
      left("accepted", 0),
    );
    fed.after(...names(11_000).flatMap((name) => [joined(name), left(name, 0)]));
    expect(fed.state.clients.size).toBeLessThanOrEqual(10_000);
    expect(namesOf(fed.state.clients)).toEqual(
      expect.arrayContaining(["bad", "here", "accepted", "third", "c10999"]),
    );
    expect(getClient(fed.state.clients, "c0")).toBeUndefined();
    // IDs are not reused.
    expect(fed.client("c10999").id).toBe(11_003);
    fed.after(joined("bad", 1, { epoch: 2 }));
    expect(fed.rejection("bad", 1, 2)).toBe("quarantined");
  }, 60_000);
});
