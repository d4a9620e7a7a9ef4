import { aggregation, type Aggregator } from "@sedna-js/core";
import type { AggregationRound } from "@sedna-js/core/aggregation";
import { loadVectorKernels, type VectorKernels } from "@sedna-js/wasm-kernels";
import type { Figure } from "../result.ts";
import { interleave, ratio, typical } from "../rounds.ts";
import { repeatable } from "../kernels/samples.ts";

const [CLIENTS, LENGTH] = [50, 1_000_000];
const NAME = "federated-rules";

/** The rules, configured for a round of 50 clients of which ten may be hostile. */
const rules: Readonly<Record<string, () => Aggregator>> = {
  FedAvg: () => aggregation.FedAvg(),
  "FedAvg, clipped": () => aggregation.FedAvg({ clipNorm: 100 }),
  FedAvgM: () => aggregation.FedAvgM(),
  FedAdam: () => aggregation.FedAdam(),
  FedBuff: () => aggregation.FedBuff(),
  TrimmedMean: () => aggregation.TrimmedMean(),
  Median: () => aggregation.Median(),
  MultiKrum: () => aggregation.MultiKrum({ f: 10 }),
  "NormClipping with Median": () => aggregation.NormClipping({ clipNorm: 100, rule: { method: "Median" } }),
  FLTrust: () => aggregation.FLTrust({ rootUpdate: (base) => base.slice().fill(0.01) }),
  Bucketing: () => aggregation.Bucketing({ f: 10, clipNorm: 100 }),
};

/** Runs a whole round: opens the accumulator, adds the updates, finishes, and disposes it. */
function round(
  rule: Aggregator,
  { updates, ...options }: AggregationRound & { readonly updates: readonly Float32Array[] },
): Float32Array {
  const open = rule.createAccumulator(options);
  try {
    for (const [i, values] of updates.entries())
      open.add({ encoding: "f32", values }, { weight: 100 + i, client: String(i), staleness: i % 3 });
    return open.finish().model;
  } finally {
    open.dispose();
  }
}

/**
 * Returns the CPU time of a call, in ms. Rounds run in this thread alone, so CPU time excludes other load on
 * the machine.
 */
async function cpuOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Measures the CPU time of a round of 50 clients with a million parameters each by rule, relative to FedAvg's
 * in the same run.
 */
export async function benchFederatedRules(): Promise<Figure[]> {
  const kernels: VectorKernels = await loadVectorKernels();
  const updates = Array.from({ length: CLIENTS }, (_, client) => {
    const next = repeatable(client + 1);
    return Float32Array.from({ length: LENGTH }, () => next() - 0.45);
  });
  const base = new Float32Array(LENGTH);
  const contestants = Object.fromEntries(
    Object.entries(rules).map(([name, build]) => [
      name,
      {
        timed: () =>
          cpuOf(() => round(build(), { kernels, base, capacity: CLIENTS, random: repeatable(7), updates })),
      },
    ]),
  );
  const times = await interleave(contestants, { rounds: 5, runs: 1, warmUp: 1 });
  kernels.dispose();
  const metric = `${CLIENTS} clients of 1e6, per round`;
  return Object.keys(rules).map((name): Figure => ({
    name: NAME,
    metric: `${metric}: ${name}`,
    value: typical(times, name),
    unit: "ms of CPU",
    ...(name === "FedAvg" ? {} : { peer: "FedAvg", ratio: ratio(times, { a: name, b: "FedAvg" }) }),
  }));
}
