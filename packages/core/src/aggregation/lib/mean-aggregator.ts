import type { Tensor } from "../../tensor.ts";
import type { Aggregator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase, type BatchTurn } from "./batch-form.ts";
import { requireCohort } from "./cohort.ts";
import { openMean, type MeanRule } from "./mean-accumulator.ts";
import { clipLength, type RuleNumber } from "./rule-number.ts";
import { sednaMean } from "./sedna-mean.ts";
import { stepServer, type Floats } from "../server-optimizer.ts";

/** Parameters of every weighted-mean rule. */
export interface MeanParameters {
  /** Euclidean norm that larger updates are scaled down to. Default: no clipping. */
  readonly clipNorm?: RuleNumber;
  /** For `aggregate` only: the model before the first call, for rules that measure updates from it. */
  readonly initial?: readonly Tensor[];
}

/** `clipNorm` as a rule needs it. */
export function optionalClip({ clipNorm }: MeanParameters): number | undefined {
  return clipNorm === undefined ? undefined : clipLength(clipNorm);
}

/**
 * Creates a weighted-mean rule: streaming in constant memory, and in Sedna's batch form. Without clipping and
 * without a server optimizer, the batch form equals Sedna's mean bit for bit.
 */
export function meanAggregator(rule: MeanRule, { initial }: Pick<MeanParameters, "initial">): Aggregator {
  const { name, server, clipNorm } = rule;
  let memory: Floats | undefined;

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
      memory = undefined;
      return model;
    }
    const taken = stepServer(name, {
      server,
      turn: { base, change: model.map((x, i) => x - base[i]!), memory },
    });
    memory = taken.memory;
    return taken.model as Float64Array;
  };

  return {
    name,
    minClients: 1,
    needsSumOnly: clipNorm === undefined,
    aggregate: batchForm({ initial, next }),
    open: (round) => openMean(round, rule),
  };
}
