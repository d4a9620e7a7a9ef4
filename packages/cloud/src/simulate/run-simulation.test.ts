import { aggregation, select } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { runSimulation, type SimulationOptions, type SimulationResult } from "./run-simulation.ts";
import { gaussianData } from "./simulation-data.ts";

const run = (more: Partial<SimulationOptions> = {}): Promise<SimulationResult> =>
  runSimulation({
    data: gaussianData({ clients: 100, alpha: 0.5, seed: 1 }),
    aggregator: select(aggregation, { method: "FedAvg" }),
    rounds: { numRounds: 6, participants: 20, deadlineMs: 60_000 },
    training: { epochs: 1, batchSize: 32, optimizer: { kind: "sgd", learningRate: 0.5 } },
    dropouts: 0,
    stragglers: 0,
    malicious: 0,
    seed: 1,
    onRound() {},
    ...more,
  });
const accuracyOf = ({ rounds }: SimulationResult): number => rounds.at(-1)!.accuracy;

describe("a simulated federation of 100 clients", () => {
  it("C21: with 30 % dropouts and 10 % stragglers closes each round by its deadline, and learns", async () => {
    const result = await run({ dropouts: 0.3, stragglers: 0.1 });
    const models = result.rounds.filter(({ outcome }) => outcome === "aggregated");
    expect(models.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { seconds, accepted, outcome } of result.rounds) {
      expect(seconds).toBeLessThanOrEqual(60);
      expect(accepted).toSatisfy((count: number) =>
        outcome === "aggregated" ? count >= 14 && count <= 20 : count < 14,
      );
    }
    expect(result.rounds.reduce((sum, { dropped }) => sum + dropped, 0)).toBeGreaterThan(20);
    expect(result.rounds.reduce((sum, { late }) => sum + late, 0)).toBeGreaterThan(3);
    expect(result.rounds.every(({ rejected }) => rejected === 0)).toBe(true);
    // With ten classes chance is 0.1; training on all data together reaches 0.92.
    expect(accuracyOf(result)).toBeGreaterThan(0.8);
  }, 60_000);

  it("gives the same run for the same seed and another run for another seed", async () => {
    const few = { dropouts: 0.2, rounds: { numRounds: 2, participants: 20, deadlineMs: 60_000 } };
    const [one, again, other] = [await run(few), await run(few), await run({ ...few, seed: 2 })];
    expect(again).toEqual(one);
    expect(other.rounds).not.toEqual(one.rounds);
  }, 60_000);

  it("closes a round before its deadline if all wanted updates have arrived", async () => {
    const { rounds, seconds } = await run();
    for (const round of rounds) expect(round).toMatchObject({ outcome: "aggregated", accepted: 20 });
    expect(seconds).toBeLessThan(6 * 60);
  }, 60_000);

  it("C22: rejects malformed updates, quarantines their clients, and resists well-formed attacks with a robust rule", async () => {
    const attacked = {
      malicious: 0.2,
      rounds: { numRounds: 6, participants: 40, deadlineMs: 60_000, strikes: 1 },
    };
    const [honest, plain, robust] = [
      await run({ ...attacked, malicious: 0 }),
      await run(attacked),
      await run({ ...attacked, clipNorm: 1, aggregator: select(aggregation, { method: "TrimmedMean" }) }),
    ];
    expect(plain.rounds.reduce((sum, { rejected }) => sum + rejected, 0)).toBeGreaterThan(5);
    expect(plain.quarantined).toBeGreaterThan(3);
    expect(robust.model.every(Number.isFinite)).toBe(true);
    expect(accuracyOf(robust)).toBeGreaterThan(accuracyOf(honest) - 0.05);
  }, 60_000);

  it("ends if no round can produce a model", async () => {
    const { rounds, quarantined } = await run({ dropouts: 1 });
    expect(rounds.length).toBe(20);
    expect(rounds.every(({ outcome, accepted }) => outcome === "abandoned" && accepted === 0)).toBe(true);
    expect(quarantined).toBe(0);
  }, 60_000);
});
