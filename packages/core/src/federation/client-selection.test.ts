import { describe, expect, it } from "vitest";
import { clientSelection, type ClientSelector } from "./client-selection.ts";
import { federation, joined, names, namesOf, ticked } from "./federation-fixture.suite.ts";
import type { FederationClient } from "./federation-state.ts";
import { nextTick } from "./next-tick.ts";
import { reduceFederation } from "./reduce-federation.ts";
import { createSeededRandom } from "./seeded-random.ts";

const client = (name: string, more: Partial<FederationClient> = {}): FederationClient => ({
  client: name,
  id: 0,
  kind: "sedna-js",
  epoch: 1,
  numSamples: 10,
  resources: {},
  present: true,
  strikes: 0,
  quarantinedUntil: 0,
  rounds: 0,
  ...more,
});
const chosen = (
  choose: ClientSelector,
  { clients, count, seed = 1 }: { clients: readonly FederationClient[]; count: number; seed?: number },
): string[] => choose({ clients, count, random: createSeededRandom(seed).random }).map((one) => one.client);
const hundred = names(100).map((name) => client(name));

describe("Simple", () => {
  it("selects the clients that joined first", () =>
    expect(chosen(clientSelection.Simple(), { clients: hundred, count: 3 })).toEqual(["c0", "c1", "c2"]));
  it("selects per_round clients, and accepts the number as a string, as in Sedna's jobs", () =>
    expect(chosen(clientSelection.Simple({ per_round: "2" }), { clients: hundred, count: 3 })).toEqual([
      "c0",
      "c1",
    ]));
  it("selects one client by default under Sedna's name", () =>
    expect(chosen(clientSelection.SimpleClientChoose(), { clients: hundred, count: 3 })).toEqual(["c0"]));
});

describe("Random", () => {
  it("selects each client equally often", () => {
    const times = new Map<string, number>();
    for (let seed = 0; seed < 2000; seed++)
      for (const name of chosen(clientSelection.Random(), { clients: hundred, count: 10, seed: seed * 7919 }))
        times.set(name, (times.get(name) ?? 0) + 1);
    // 200 expected, standard deviation 13.4. The seeds are fixed, so the test is deterministic.
    for (const name of names(100))
      expect(times.get(name)).toSatisfy((count: number) => count > 140 && count < 260);
  });
  it("selects no client twice, and all clients if all are requested", () =>
    expect(chosen(clientSelection.Random(), { clients: hundred, count: 100 }).toSorted()).toEqual(
      names(100).toSorted(),
    ));
});

describe("ByResources", () => {
  const fleet = [
    client("slow", { resources: { speed: 1, cores: 8, memoryMb: 4000, charging: true } }),
    client("unknown"),
    client("fast", { resources: { speed: 100, cores: 4, memoryMb: 8000 } }),
    client("fast-much", { numSamples: 1000, resources: { speed: 100, cores: 2 } }),
  ];
  it("selects the clients that finish first, and uses the median for an unknown speed", () => {
    expect(chosen(clientSelection.ByResources({ exploration: 0 }), { clients: fleet, count: 4 })).toEqual([
      "unknown",
      "fast",
      "slow",
      "fast-much",
    ]);
  });
  it("selects only devices that report the required resources", () => {
    expect(
      chosen(clientSelection.ByResources({ min_cores: "4" }), { clients: fleet, count: 4 }).toSorted(),
    ).toEqual(["fast", "slow"]);
    expect(
      chosen(clientSelection.ByResources({ min_memory_mb: 5000 }), { clients: fleet, count: 4 }),
    ).toEqual(["fast"]);
    expect(chosen(clientSelection.ByResources({ charging: true }), { clients: fleet, count: 4 })).toEqual([
      "slow",
    ]);
  });
  it("draws a share from all clients, so that data on slow devices is used too", () => {
    const many = hundred.map((one, i) => ({ ...one, resources: { speed: 100 - i } }));
    const names20 = chosen(clientSelection.ByResources({ exploration: 0.2 }), { clients: many, count: 20 });
    expect(names20.slice(0, 16)).toEqual(names(16));
    expect(new Set(names20).size).toBe(20);
    expect(names20.some((name) => Number(name.slice(1)) >= 20)).toBe(true);
  });
});

describe("client selection in a federation", () => {
  it("draws the same clients from the same seed", () => {
    const selected = (): readonly string[] => {
      const fed = federation({ participants: 10, overSelect: 1 });
      fed.after(
        ...names(9).map((name) => joined(name)),
        ...names(50)
          .slice(9)
          .map((name) => joined(name, 1)),
      );
      return fed.selected;
    };
    expect(selected()).toEqual(selected());
  });
  it("delays the round if too few clients qualify, and requests no tick", () => {
    const fed = federation({ participants: 3, selector: { method: "ByResources", param: { min_cores: 4 } } });
    fed.after(...names(5).map((name) => joined(name)), ticked(1000));
    expect(fed.state.phase).toBe("waiting");
    expect(nextTick(fed.state)).toBeUndefined();
    fed.after(...names(3).map((name) => joined(`able-${name}`, 2000, { resources: { cores: 4 } })));
    expect(fed.types).toEqual(["open"]);
  });
  it("drops duplicate and unknown clients that a custom selector returns", () => {
    const table = {
      ...clientSelection,
      Mine: () =>
        (({ clients }) => [clients[0]!, clients[0]!, client("ghost"), clients[1]!]) satisfies ClientSelector,
    };
    let { state } = federation({ participants: 2, overSelect: 2, selector: { method: "Random" } });
    state = { ...state, settings: { ...state.settings, selector: { method: "Mine" } } };
    for (const name of names(4)) state = reduceFederation(state, joined(name), table).state;
    expect(namesOf(state.open!.selected)).toEqual(["c0", "c1"]);
  });
});
