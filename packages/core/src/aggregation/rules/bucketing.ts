import {
  choiceParameter,
  optionalNumber,
  parameterized,
  programParameter,
  requiredNumber,
} from "../../check/parameters.ts";
import type { AggregationRound, Aggregator, Accumulator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase } from "../lib/batch-form.ts";
import { byColumns } from "../lib/by-columns.ts";
import { requireCohort } from "../lib/cohort.ts";
import { plainUpdates } from "../lib/plain-updates.ts";
import { noRestore } from "../lib/robust-aggregator.ts";
import { clipNormLimits, initial } from "../lib/rule-parameters.ts";
import { checkWeight } from "../lib/update-weight.ts";
import { flatten } from "../lib/whole-weights.ts";
import { sgdServer, stepServer } from "../server-optimizer.ts";
import { sortedMean } from "./median.ts";

const parameters = {
  /** Number of hostile clients that the rule withstands. */
  f: requiredNumber({ min: 1, whole: true }),
  /** Number of buckets. At least 4 f. */
  buckets: optionalNumber({ min: 1, whole: true, absent: "4 f" }),
  /** Euclidean norm that updates are clipped to first. It limits the influence of a hostile client. */
  clipNorm: requiredNumber(clipNormLimits),
  /**
   * Reduction of the bucket means: their median, or their mean without the f smallest and f largest values.
   */
  rule: choiceParameter(["median", "trimmed"]),
  /** For `aggregate` only: uniform draws in [0,1). */
  random: programParameter<() => number>({
    fallback: "Math.random",
  }),
  initial,
};

/**
 * A robust rule whose memory does not grow with the cohort: it adds clipped updates to `buckets` sums in
 * random turns and takes the median or the trimmed mean of the bucket means. f hostile clients corrupt at
 * most f buckets, so the rule holds while f is well below half of the buckets. With f at half or more, the
 * rule is worse than the plain mean, because one update corrupts a whole bucket: the rule rejects fewer than
 * 4f buckets. All clients have equal weight. Source: after Karimireddy et al., "Byzantine-Robust Learning on
 * Heterogeneous Datasets via Bucketing", 2022.
 */
export const Bucketing = parameterized(parameters, (param): Aggregator => {
  const { f: hostile, buckets = 4 * hostile, clipNorm, rule, random = Math.random, initial } = param;
  if (hostile >= buckets / 2)
    throw new RangeError(
      `build Bucketing: expected f below half of the ${buckets} buckets, else the hostile clients' buckets outvote the others; got ${hostile}`,
    );
  if (buckets < 4 * hostile)
    throw new RangeError(`build Bucketing: expected at least 4 f = ${4 * hostile} buckets; got ${buckets}`);
  const trim = rule === "median" ? Math.floor((buckets - 1) / 2) : hostile;
  return {
    name: "Bucketing",
    minClients: buckets,
    needsSumOnly: false,
    aggregate: batchForm({
      initial,
      next({ clients, base }) {
        const clipped = clippedVoters(clients, { base: requireBase("Bucketing", base), clipNorm }).map(
          ({ weights }) => flatten(weights),
        );
        requireCohort("Bucketing", { expected: buckets, got: clipped.length });
        const turns = turnsOfBuckets(buckets, random);
        const filled: Float64Array[][] = Array.from({ length: buckets }, () => []);
        for (const model of clipped) filled[turns()]!.push(model);
        return sortedMean(
          filled.map((models) => sortedMean(models, 0)),
          trim,
        );
      },
    }),
    createAccumulator: (round) => bucketAccumulator(round, { buckets, clipNorm, trim }),
  };
});

/** Options of {@link bucketAccumulator}. */
interface BucketAccumulatorOptions {
  readonly buckets: number;
  readonly clipNorm: number;
  readonly trim: number;
}

function bucketAccumulator(
  { kernels, base, random }: AggregationRound,
  { buckets, clipNorm, trim }: BucketAccumulatorOptions,
): Accumulator {
  const reader = plainUpdates(kernels, base.length);
  // A bucket sums few, clipped updates: float32 is precise enough.
  const sums = Array.from({ length: buckets }, () => new Float32Array(base.length));
  const counts = new Uint32Array(buckets);
  const turns = turnsOfBuckets(buckets, random);
  let count = 0;
  let totalWeight = 0;
  return {
    get count() {
      return count;
    },
    get totalWeight() {
      return totalWeight;
    },
    add(update, { weight }) {
      checkWeight(weight);
      const { values, l2Norm } = reader.read(update, clipNorm);
      const bucket = turns();
      const sum = sums[bucket]!;
      for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
      counts[bucket]! += 1;
      count += 1;
      totalWeight += weight;
      return { l2Norm };
    },
    state: () => undefined,
    restore: () => noRestore("Bucketing"),
    finish() {
      requireCohort("Bucketing", { expected: buckets, got: count });
      const change = byColumns(sums, {
        kernels,
        scales: Array.from(counts, (inside) => 1 / inside),
        reduce: (bucket) => bucket.trimmedMean({ trim }),
      });
      return stepServer("Bucketing", {
        server: sgdServer(),
        turn: { base, change, serverState: undefined },
      }) as ReturnType<Accumulator["finish"]>;
    },
    dispose() {
      sums.length = 0;
      reader.dispose();
    },
  };
}

/**
 * Returns a function that returns the next bucket: all buckets in random order, then all again in a new
 * order. The numbers of updates per bucket differ by at most one, and a client that chooses when to upload
 * cannot choose which clients share its bucket. `random` is uniform in [0,1).
 */
export function turnsOfBuckets(buckets: number, random: () => number): () => number {
  const order = Uint32Array.from({ length: buckets }, (_, i) => i);
  let next = buckets;
  return () => {
    if (next === buckets) {
      for (let i = buckets - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      next = 0;
    }
    return order[next++]!;
  };
}
