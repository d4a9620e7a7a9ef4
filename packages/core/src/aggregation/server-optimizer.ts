import { SednaError } from "../errors.ts";

/** Flat parameters: float32 on their way through a federation, float64 in Sedna's batch form. */
export type Floats = Float32Array | Float64Array;

/** A server's turn with a round's mean change. */
export interface ServerOptimizerState {
  /** The round's model. */
  readonly base: Floats;
  /** The mean change; the new model is written over it. */
  readonly change: Floats;
  /** What the last turn gave; undefined at first. */
  readonly memory: Floats | undefined;
}

/** What a server does with the mean change of a round, as if it were a gradient. Arithmetic in float64. */
export interface ServerOptimizer {
  /** Numbers of memory for a model of `length`; 0 for a step without memory. */
  memoryLength(length: number): number;
  /** Writes the new model over `change`; gives the next turn's memory, an array of `change`'s kind. */
  step(turn: ServerOptimizerState): Floats | undefined;
}

/** Adds the change, times a learning rate. */
export function sgdServer(learningRate = 1): ServerOptimizer {
  return {
    memoryLength: () => 0,
    step({ base, change }) {
      for (let i = 0; i < change.length; i++) change[i] = base[i]! + learningRate * change[i]!;
      return undefined;
    },
  };
}

/**
 * `v = momentum * v + change; model += learningRate * v`. Source: Hsu et al., "Measuring the Effects of
 * Non-Identical Data Distribution", 2019.
 */
export function momentumServer({
  momentum,
  learningRate,
}: {
  readonly momentum: number;
  readonly learningRate: number;
}): ServerOptimizer {
  return {
    memoryLength: (length) => length,
    step({ base, change, memory }) {
      const velocity = memory === undefined ? zerosLike(change, change.length) : memory.slice();
      for (let i = 0; i < change.length; i++) {
        velocity[i] = momentum * velocity[i]! + change[i]!;
        change[i] = base[i]! + learningRate * velocity[i]!;
      }
      return velocity;
    },
  };
}

/** Parameters of {@link adamServer}, all in force. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly tau: number;
  readonly biasCorrection: boolean;
}

/**
 * `m = beta1 m + (1 - beta1) change; v = beta2 v + (1 - beta2) change^2; model += learningRate m / (sqrt(v) +
 * tau)`. Without bias correction, as the source writes it, v starts at tau^2 and m at 0: the first steps are
 * small in m's share. With it, both start at 0 and are divided by `1 - beta ** turns`, as Kingma and Ba's
 * Adam does. Source: Reddi et al., "Adaptive Federated Optimization", 2020, algorithm 2.
 */
export function adamServer({
  learningRate,
  beta1,
  beta2,
  tau,
  biasCorrection,
}: AdamSettings): ServerOptimizer {
  // m, then v, then the number of turns, which a float32 holds exactly up to 2^24.
  const memoryLength = (length: number): number => 2 * length + 1;
  return {
    memoryLength,
    step({ base, change, memory }) {
      const { length } = change;
      const next =
        memory === undefined
          ? zerosLike(change, memoryLength(length)).fill(biasCorrection ? 0 : tau ** 2, length, 2 * length)
          : memory.slice();
      const turns = next[2 * length]! + 1;
      const first = biasCorrection ? 1 / (1 - beta1 ** turns) : 1;
      const second = biasCorrection ? 1 / (1 - beta2 ** turns) : 1;
      for (let i = 0; i < length; i++) {
        const m = beta1 * next[i]! + (1 - beta1) * change[i]!;
        const v = beta2 * next[length + i]! + (1 - beta2) * change[i]! ** 2;
        next[i] = m;
        next[length + i] = v;
        change[i] = base[i]! + (learningRate * first * m) / (Math.sqrt(second * v) + tau);
      }
      next[2 * length] = turns;
      return next;
    },
  };
}

/**
 * Takes a step and makes sure of what it gave: a model with an infinity in it would be the federation's end.
 * @throws {RangeError} on memory of another length.
 * @throws {SednaError} `update-rejected` when the model or the memory would not be finite.
 */
export function stepServer(
  rule: string,
  { server, turn }: { readonly server: ServerOptimizer; readonly turn: ServerOptimizerState },
): { readonly model: Floats; readonly memory: Floats | undefined } {
  const { base, change, memory } = turn;
  const expected = server.memoryLength(base.length);
  if (memory !== undefined && memory.length !== expected)
    throw new RangeError(
      `aggregate by ${rule}: expected a memory of ${expected} numbers; got ${memory.length}`,
    );
  const next = server.step({ base, change, memory: expected === 0 ? undefined : memory });
  for (const numbers of next === undefined ? [change] : [change, next]) {
    if (!allFinite(numbers))
      throw new SednaError(
        `aggregate by ${rule}: expected a finite model; got an infinity or NaN: the updates are too large; clip them by maxNorm`,
        { code: "update-rejected" },
      );
  }
  return { model: change, memory: next };
}

/** True where no number is NaN or infinite. */
export function allFinite(numbers: Floats): boolean {
  // x - x is 0 of any finite x, else NaN, which stays: four times as fast as a call of isFinite each.
  let found = 0;
  for (let i = 0; i < numbers.length; i++) found += numbers[i]! - numbers[i]!;
  return found === 0;
}

function zerosLike(like: Floats, length: number): Floats {
  return like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}
