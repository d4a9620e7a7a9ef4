import { describe, expect, it } from "vitest";
import type { SecurePhase } from "../wire/federation.ts";
import { plainMean, runRound } from "./secure-aggregation.suite.ts";

const phases: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];

// A hundred clients in one process are slow if other work shares the machine.
describe("a secure aggregation", { timeout: 120_000 }, () => {
  it.each([3, 4, 30, 100])(
    "of %i clients equals the sum of their quantized updates exactly, and the plain mean up to quantization",
    async (clients) => {
      const { round, clients: all, errors, settings } = await runRound({ clients });
      expect([...errors.values()]).toEqual([]);
      expect(round.phase).toBe("done");
      const { mean, quantized, totalWeight } = plainMean(all, settings);
      expect(round.result!.mean).toEqual(quantized);
      expect(round.result!.totalWeight).toBe(totalWeight);
      expect(Math.max(...mean.map((value, i) => Math.abs(value - round.result!.mean[i]!)))).toBeLessThan(
        settings.clipRange / settings.levels + 1e-6,
      );
      expect(round.result!.clients.toSorted()).toEqual(all.map(({ name }) => name).toSorted());
    },
  );

  const dropouts = [30, 100].flatMap((clients) => phases.map((phase) => [clients, phase] as const));
  it.each(dropouts)(
    "C21: of %i clients, 30 % of which drop out in phase %s, equals the sum of the clients whose vector was received",
    async (clients, phase) => {
      const {
        round,
        clients: all,
        errors,
        settings,
      } = await runRound({ clients, gone: (i) => (i % 10 < 3 ? phase : undefined) });
      expect([...errors.values()]).toEqual([]);
      expect(round.error).toBeUndefined();
      const accepted = all.filter(({ gone }) => gone === undefined || gone === "unmask");
      expect(accepted).toHaveLength(phase === "unmask" ? clients : 0.7 * clients);
      expect(round.result!.mean).toEqual(plainMean(accepted, settings).quantized);
      expect(round.result!.clients.toSorted()).toEqual(accepted.map(({ name }) => name).toSorted());
    },
  );

  // Neighborhoods are sized for 30 % dropouts in all: fewer than one round in a thousand fails with as many.
  it("survives dropouts of 7 % of the clients in each phase", async () => {
    const { round, clients: all, settings } = await runRound({ clients: 42, gone: (i) => phases[i % 14] });
    expect(round.error).toBeUndefined();
    const accepted = all.filter(({ gone }) => gone === undefined || gone === "unmask");
    expect(accepted).toHaveLength(33);
    expect(round.result!.mean).toEqual(plainMean(accepted, settings).quantized);
  });

  it.each(phases)("is abandoned with an error if too few clients are left in phase %s", async (phase) => {
    const { round } = await runRound({
      clients: 12,
      gone: (i) => (i < 8 ? phase : undefined),
      settings: { minClients: 6 },
    });
    expect(round.phase).toBe("abandoned");
    expect(round.result).toBeUndefined();
    expect(round.error).toMatchObject({ name: "SednaError", code: "cohort-too-small", retryable: true });
    expect(round.error!.message).toContain(`phase ${phase}`);
    expect(round.task("c11")).toBeUndefined();
  });

  it("weights clients by their samples up to maxWeight, or all equally", async () => {
    const weighted = await runRound({ clients: 5, settings: { maxWeight: 4 } });
    expect(weighted.round.result!.totalWeight).toBe(1 + 3 + 4 + 4 + 4);
    const equal = await runRound({ clients: 5, settings: { maxWeight: 1 } });
    expect(equal.round.result!.totalWeight).toBe(5);
  });

  it("handles a vector that is longer than a mask chunk and not a multiple of it", async () => {
    const { round, clients: all, settings } = await runRound({ clients: 4, length: 65_536 * 2 + 5 });
    expect(round.result!.mean).toEqual(plainMean(all, settings).quantized);
  });

  it("masks each vector as noise: chi-square on every byte, even for a zero update", async () => {
    const { masked } = await runRound({
      clients: 3,
      length: 100_000,
      client: () => ({ update: async () => ({ change: new Float32Array(100_000), numSamples: 1 }) }),
    });
    expect(masked.size).toBe(3);
    for (const vector of masked.values()) {
      for (let byte = 0; byte < 4; byte++) {
        const counts = new Float64Array(256);
        for (const word of vector) counts[(word >>> (8 * byte)) & 255]!++;
        const expected = vector.length / 256;
        const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
        // 255 degrees of freedom: a value above 430 has a probability below 1e-10.
        expect(statistic).toBeLessThan(430);
      }
    }
  });

  it("uses different masks in each round", async () => {
    const [a, b] = [await runRound({ clients: 3 }), await runRound({ clients: 3 })];
    expect(a.masked.get(0)).not.toEqual(b.masked.get(0));
    expect(a.round.result!.mean).toEqual(b.round.result!.mean);
  });
});
