import { describeValue } from "../../errors.ts";
import type { Tensor } from "../../tensor.ts";
import type { AggregationRound, Aggregator, Accumulator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase } from "../lib/batch-form.ts";
import { byColumns } from "../lib/by-columns.ts";
import { requireCohort } from "../lib/cohort.ts";
import { plainUpdates } from "../lib/plain-updates.ts";
import { noRestore } from "../lib/robust-aggregator.ts";
import { clientCount, clipLength, type RuleNumber } from "../lib/rule-number.ts";
import { checkWeight } from "../lib/update-weight.ts";
import { flatten } from "../lib/whole-weights.ts";
import { sgdServer, stepServer } from "../server-optimizer.ts";
import { sortedMean } from "./median.ts";

/** Parameters of {@link Bucketing}. */
interface BucketingParameters {
  /** Number of hostile clients that the rule withstands. At least 1. */
  readonly f: RuleNumber;
  /** Number of buckets. At least 4f. Default 4f. */
  readonly buckets?: RuleNumber;
  /** Norm that updates are clipped to first. It limits the influence of a hostile client. */
  readonly clipNorm: RuleNumber;
  /**
   * Reduction of the bucket means: their median, or their mean without the f smallest and f largest values.
   * Default "median".
   */
  readonly rule?: "median" | "trimmed";
  /** For `aggregate` only: uniform draws in [0,1). Default `Math.random`. */
  readonly random?: () => number;
  /** For `aggregate` only: the model before the first call. */
  readonly initial?: readonly Tensor[];
}

/**
 * A robust rule whose memory does not grow with the cohort: it adds clipped updates to `buckets` sums in
 * random turns and takes the median or the trimmed mean of the bucket means. f hostile clients corrupt at
 * most f buckets, so the rule holds while f is well below half of the buckets. With f at half or more, the
 * rule is worse than the plain mean, because one update corrupts a whole bucket: the rule rejects fewer than
 * 4f buckets. All clients have equal weight. Source: after Karimireddy et al., "Byzantine-Robust Learning on
 * Heterogeneous Datasets via Bucketing", 2022.
 */
export function Bucketing(param: BucketingParameters): Aggregator {
  const hostile = clientCount("f", { value: param.f, least: 1 });
  const buckets =
    param.buckets === undefined ? 4 * hostile : clientCount("buckets", { value: param.buckets, least: 1 });
  if (hostile >= buckets / 2)
    throw new RangeError(
      `build Bucketing: expected f below half of the ${buckets} buckets, else the hostile clients' buckets outvote the others; got ${hostile}`,
    );
  if (buckets < 4 * hostile)
    throw new RangeError(`build Bucketing: expected at least 4 f = ${4 * hostile} buckets; got ${buckets}`);
  const clipNorm = clipLength(param.clipNorm);
  const trim = trimOf(param.rule ?? "median", { hostile, buckets });
  const { random = Math.random, initial } = param;
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
    open: (round) => openBuckets(round, { buckets, clipNorm, trim }),
  };
}

function trimOf(
  rule: string,
  { hostile, buckets }: { readonly hostile: number; readonly buckets: number },
): number {
  if (rule === "median") return Math.floor((buckets - 1) / 2);
  if (rule === "trimmed") return hostile;
  throw new TypeError(`read rule: expected "median" or "trimmed"; got ${describeValue(rule)}`);
}

/** Options of {@link openBuckets}. */
interface OpenBucketsOptions {
  readonly buckets: number;
  readonly clipNorm: number;
  readonly trim: number;
}

function openBuckets(
  { kernels, base, random }: AggregationRound,
  { buckets, clipNorm, trim }: OpenBucketsOptions,
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
        turn: { base, change, memory: undefined },
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
