import type { ModelUpdate, VectorKernels } from "@sedna-js/wasm-kernels";
import type { AggregationRound, Aggregator, Accumulator } from "./aggregator.ts";

/** Creates a generator of repeatable draws in [0,1). */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24;
}

/** Creates a generator of repeatable, approximately normal draws with a standard deviation of 1. */
export function normal(seed: number): () => number {
  const next = draws(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Creates a dense update. */
export const f32 = (values: Iterable<number>): ModelUpdate => ({
  encoding: "f32",
  values: Float32Array.from(values),
});

/** Options of a round in a test. */
export interface TestRound extends Partial<Omit<AggregationRound, "kernels" | "base">> {
  readonly kernels: VectorKernels;
  readonly base: Float32Array;
}

/** Opens a round of up to 10000 updates with repeatable draws. */
export const openRound = (rule: Aggregator, { kernels, base, ...rest }: TestRound): Accumulator =>
  rule.createAccumulator({ kernels, base, capacity: 10_000, random: draws(1), ...rest });

/**
 * Runs a round on updates, each with a weight and a staleness, and returns the model and the server state.
 */
export function run(
  rule: Aggregator,
  {
    updates,
    weights,
    staleness,
    ...round
  }: TestRound & {
    readonly updates: readonly ModelUpdate[];
    readonly weights?: readonly number[];
    readonly staleness?: readonly number[];
  },
): { readonly model: Float32Array; readonly serverState: Float32Array | undefined } {
  const open = openRound(rule, round);
  try {
    for (const [i, update] of updates.entries())
      open.add(update, {
        weight: weights?.[i] ?? 1,
        client: `client-${i}`,
        ...(staleness === undefined ? {} : { staleness: staleness[i]! }),
      });
    return open.finish();
  } finally {
    open.dispose();
  }
}

/** Returns the Euclidean distance between two vectors. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a, (x, i) => x - b[i]!));
}

/**
 * Returns the largest absolute difference between two vectors divided by the largest absolute value of
 * `expected`.
 */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  const largest = Math.max(1e-30, ...Array.from(expected, Math.abs));
  return Math.max(...Array.from(got, (x, i) => Math.abs(x - expected[i]!))) / largest;
}
