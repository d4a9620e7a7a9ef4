import type { Tensor } from "../../tensor.ts";
import type { Aggregator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase, type BatchTurn } from "./batch-form.ts";
import { requireCohort } from "./cohort.ts";
import { openMean, type MeanRule } from "./mean-accumulator.ts";
import { clipLength, type RuleNumber } from "./rule-number.ts";
import { sednaMean } from "./sedna-mean.ts";
import { stepServer, type Floats } from "../server-optimizer.ts";

/** Parameters of every rule that makes a weighted mean. */
export interface MeanParameters {
  /** Changes of a larger Euclidean length count as if they were scaled down to it. Default: none are. */
  readonly clipNorm?: RuleNumber;
  /** For `aggregate` alone: the model before its first call, for rules that measure changes of it. */
  readonly initial?: readonly Tensor[];
}

/** `clipNorm` as a rule needs it. */
export function optionalClip({ clipNorm }: MeanParameters): number | undefined {
  return clipNorm === undefined ? undefined : clipLength(clipNorm);
}

/**
 * A rule of a weighted mean: streaming, in constant memory, and in Sedna's form, where it is Sedna's mean to
 * the bit.
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
