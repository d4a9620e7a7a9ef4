import { describe, expect, it } from "vitest";
import { allClients } from "@sedna-js/core/federation";
import { seededRandom } from "@sedna-js/wasm-kernels";
import { federationViolations } from "../checkers/federation-history.ts";
import { simulatedFederation, type SimulatedFederation } from "../checkers/simulated-federation.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `client-${i}`);

/** Returns the duration of each round from its opening to its close, in ms, in order. */
function closings({ effects }: SimulatedFederation): number[] {
  let openedAt = 0;
  return effects.flatMap(({ type, at }) => {
    if (type === "open") openedAt = at;
    return type === "aggregate" || type === "abandon" ? [at - openedAt] : [];
  });
}

const settings = { participants: 500, numRounds: 20, deadlineMs: 60_000, selectionMs: 5_000 };

describe("a federation of a thousand clients", () => {
  it("C21: closes 20 rounds by their deadlines with 30 % dropouts and 10 % stragglers", async () => {
    const random = seededRandom({ seed: 1, stream: 0 });
    const fed = simulatedFederation(settings, {
      seed: 1,
      turn() {
        const fate = random();
        // Round up to steps, so that many updates arrive at the same moment.
        const within = (ms: number): number => Math.ceil((random() * ms) / 500) * 500;
        if (fate < 0.3) return { kind: "leaves", afterMs: within(60_000), backAfterMs: within(120_000) };
        return { kind: "answers", afterMs: fate < 0.4 ? 60_000 + within(60_000) : 5_000 + within(50_000) };
      },
    });
    for (const name of names(1000)) fed.join(name);
    await fed.run(1e9);

    expect(fed.state).toMatchObject({ phase: "done", round: 20, modelVersion: 20 });
    expect(closings(fed)).toHaveLength(20);
    for (const ms of closings(fed)) expect(ms).toBeLessThanOrEqual(60_000);
    for (const { accepted, outcome } of fed.state.history) {
      expect(outcome).toBe("aggregated");
      expect(accepted).toSatisfy((count: number) => count >= 350 && count <= 500);
    }
    // Some updates of stragglers were rejected as late, and no client got a strike for it.
    expect(fed.lost).toBeGreaterThan(500);
    expect(allClients(fed.state.clients).every(({ strikes }) => strikes === 0)).toBe(true);
    expect(
      federationViolations({
        settings: fed.state.settings,
        seed: 1,
        at: 0,
        events: fed.events,
        state: fed.state,
      }),
    ).toEqual([]);
  }, 60_000);

  it("C19: handles a storm of joins, all clients leaving, and all rejoining", async () => {
    const fed = simulatedFederation(
      { ...settings, numRounds: 3 },
      { seed: 2, turn: () => ({ kind: "answers", afterMs: 30_000 }) },
    );
    for (const name of names(1000)) fed.join(name);
    await fed.run(10_000);
    expect(fed.state.open?.selected.size).toBe(650);
    for (const name of names(1000)) fed.leave(name);
    // The clients rejoin before they could send their updates, and start again.
    for (let storm = 0; storm < 3; storm++) for (const name of names(1000)) fed.join(name);
    await fed.run(1e9);
    expect(fed.state).toMatchObject({ phase: "done", round: 3 });
    expect(
      fed.state.history.map(({ outcome, accepted, durationMs }) => [outcome, accepted, durationMs]),
    ).toEqual([
      ["aggregated", 500, 40_000],
      ["aggregated", 500, 30_000],
      ["aggregated", 500, 30_000],
    ]);
  }, 60_000);

  it("C21: waits while all clients are gone and continues when they return", async () => {
    const fed = simulatedFederation(
      { ...settings, numRounds: 2 },
      {
        seed: 3,
        turn: (_, round) =>
          round === 1 && fed.state.history.length === 0
            ? { kind: "leaves", afterMs: 10_000, backAfterMs: 3_600_000 }
            : { kind: "answers", afterMs: 1_000 },
      },
    );
    for (const name of names(1000)) fed.join(name);
    await fed.run(60_500);
    expect(fed.state).toMatchObject({ phase: "waiting", round: 0 });
    expect(fed.state.history).toMatchObject([{ outcome: "abandoned", accepted: 0, durationMs: 60_000 }]);
    await fed.run(1e9);
    expect(fed.state).toMatchObject({ phase: "done", round: 2, modelVersion: 2 });
  }, 60_000);
});
