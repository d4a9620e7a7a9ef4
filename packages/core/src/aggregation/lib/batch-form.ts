import { elementCount, type Tensor } from "../../tensor.ts";
import type { AggClient, Aggregator } from "../aggregator.ts";
import { checkClients, flatten, unflatten } from "./whole-weights.ts";

/** Input of a rule in Sedna's batch form. */
export interface BatchTurn {
  /** At least one client; all have the same layout. */
  readonly clients: readonly AggClient[];
  readonly total: number;
  /** The last result, or the rule's initial model. */
  readonly base: Float64Array | undefined;
}

/** A rule in Sedna's batch form. */
export interface BatchRule {
  /** Model before the first call, for rules that measure updates from it. */
  readonly initial?: readonly Tensor[] | undefined;
  /** Returns the next model, flat. */
  next(turn: BatchTurn): Float64Array;
}

/**
 * Creates Sedna's batch form of a rule: whole weights in, whole weights out in float64. Without clients it
 * returns the last result. Each result is a copy.
 */
export function batchForm({ initial, next }: BatchRule): Aggregator["aggregate"] {
  let base = initial === undefined ? undefined : flatten(initial);
  let last: readonly Tensor[] | undefined;
  return (clients) => {
    if (clients.length > 0) {
      const { layout, total } = checkClients(clients);
      const length = layout.reduce((sum, shape) => sum + elementCount(shape), 0);
      base = next({ clients, total, base: base?.length === length ? base : undefined });
      last = unflatten(base, layout);
    }
    return last?.map(({ dtype, shape, data }) => ({ dtype, shape, data: data.slice() }));
  };
}

/**
 * Returns the base of a rule that measures updates.
 * @throws {TypeError} If there is no base.
 */
export function requireBase(rule: string, base: Float64Array | undefined): Float64Array {
  if (base === undefined)
    throw new TypeError(
      `aggregate by ${rule}: expected a model of the clients' shape to measure updates from, as the parameter initial or an earlier result; got none`,
    );
  return base;
}

/** Returns the clients that a robust rule uses: clients that have samples and only finite numbers. */
export function voters(clients: readonly AggClient[]): readonly AggClient[] {
  return clients.filter(
    ({ numSamples, weights }) =>
      numSamples > 0 &&
      weights.every(({ data }) => data.every((x: number | bigint) => Number.isFinite(Number(x)))),
  );
}

/** Returns the voters' models with their updates clipped to `clipNorm`, each as one float64 tensor. */
export function clippedVoters(
  clients: readonly AggClient[],
  { base, clipNorm }: { readonly base: Float64Array; readonly clipNorm: number },
): readonly AggClient[] {
  return voters(clients).map(({ numSamples, weights }) => {
    const change = flatten(weights).map((x, i) => x - base[i]!);
    const factor = Math.min(1, clipNorm / Math.sqrt(change.reduce((sum, x) => sum + x * x, 0)));
    return {
      numSamples,
      weights: [
        { dtype: "float64", shape: [base.length], data: change.map((x, i) => base[i]! + factor * x) },
      ],
    };
  });
}
