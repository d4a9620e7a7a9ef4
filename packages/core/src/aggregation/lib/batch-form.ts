import { elementCount, type Tensor } from "../../tensor.ts";
import type { AggClient, Aggregator } from "../aggregator.ts";
import { checkClients, flatten, unflatten } from "./whole-weights.ts";

/** What a rule makes its next model of, in Sedna's batch form. */
export interface BatchTurn {
  /** At least one; all of one layout. */
  readonly clients: readonly AggClient[];
  readonly total: number;
  /** The last result, or the model that the rule was given to start from. */
  readonly base: Float64Array | undefined;
}

/** What a rule is in Sedna's batch form. */
export interface BatchRule {
  /** The model before the first call, for rules that measure changes of it. */
  readonly initial?: readonly Tensor[] | undefined;
  /** The next model, flat. */
  next(turn: BatchTurn): Float64Array;
}

/**
 * Sedna's form of a rule: whole weights in, whole weights out in float64; of no clients the last result. Each
 * result is the caller's own.
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
 * The base of a rule that measures changes.
 * @throws {TypeError} when there is none.
 */
export function requireBase(rule: string, base: Float64Array | undefined): Float64Array {
  if (base === undefined)
    throw new TypeError(
      `aggregate by ${rule}: expected a model of the clients' shape to measure their changes from, as the parameter initial or a result before; got none`,
    );
  return base;
}

/** The clients whose vote counts: those with samples, and with nothing but finite numbers. */
export function voters(clients: readonly AggClient[]): readonly AggClient[] {
  return clients.filter(
    ({ numSamples, weights }) =>
      numSamples > 0 &&
      weights.every(({ data }) => data.every((x: number | bigint) => Number.isFinite(Number(x)))),
  );
}

/** The voters' models with their changes of `base` scaled down to a length, each as one float64 tensor. */
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
