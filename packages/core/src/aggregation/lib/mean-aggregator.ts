import type { Tensor } from "../../tensor.ts";
import type { Aggregator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase, type BatchTurn } from "./batch-form.ts";
import { requireCohort } from "./cohort.ts";
import { meanAccumulator, type MeanRule } from "./mean-accumulator.ts";
import { sednaMean } from "./sedna-mean.ts";
import { stepServer, type Floats } from "../server-optimizer.ts";

/**
 * Creates a weighted-mean rule: streaming in constant memory, and in Sedna's batch form. Without clipping and
 * without a server optimizer, the batch form equals Sedna's mean bit for bit. `initial` is the model before
 * the first call of `aggregate`, for rules that measure updates from it.
 */
export function meanAggregator(rule: MeanRule, initial?: readonly Tensor[]): Aggregator {
  const { name, server, clipNorm } = rule;
  let serverState: Floats | undefined;

  const mean = ({ clients, total, base }: BatchTurn): Float64Array => {
    if (clipNorm === undefined) return sednaMean(clients, total);
    const clipped = clippedVoters(clients, { base: requireBase(name, base), clipNorm });
    requireCohort(name, { expected: 1, got: clipped.length });
    return sednaMean(
      clipped,
      clipped.reduce((sum, { numSamples }) => sum + numSamples, 0),
    );
  };
  const next = (turn: BatchTurn): Float64Array => {
    const { base } = turn;
    const model = mean(turn);
    if (server === undefined) return model;
    if (base === undefined) {
      serverState = undefined;
      return model;
    }
    const taken = stepServer(name, {
      server,
      turn: { base, change: model.map((x, i) => x - base[i]!), serverState },
    });
    serverState = taken.serverState;
    return taken.model as Float64Array;
  };

  return {
    name,
    minClients: 1,
    needsSumOnly: clipNorm === undefined,
    aggregate: batchForm({ initial, next }),
    createAccumulator: (round) => meanAccumulator(round, rule),
  };
}
