import { SednaError } from "../errors.ts";

/** Flat parameters: float32 in a federation, float64 in Sedna's batch form. */
export type Floats = Float32Array | Float64Array;

/** Input of a server optimizer's step. */
export interface ServerOptimizerState {
  /** The round's model. */
  readonly base: Floats;
  /** Mean update. The step overwrites it with the new model. */
  readonly change: Floats;
  /** Server state that the last step returned; `undefined` in the first round. */
  readonly serverState: Floats | undefined;
}

/** Applies the mean update of a round to the model as if it were a gradient. Arithmetic is in float64. */
export interface ServerOptimizer {
  /**
   * Returns the length of the server state for a model of `length` numbers; 0 if the optimizer has no state.
   */
  memoryLength(length: number): number;
  /**
   * Writes the new model over `change` and returns the next server state, an array of the same kind as
   * `change`.
   */
  step(turn: ServerOptimizerState): Floats | undefined;
}

/** Creates an optimizer that adds the update, multiplied by a learning rate. */
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
 * Creates an optimizer with momentum: `v = momentum * v + change; model += learningRate * v`. Source: Hsu et
 * al., "Measuring the Effects of Non-Identical Data Distribution", 2019.
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
    step({ base, change, serverState }) {
      const velocity = serverState === undefined ? zerosLike(change, change.length) : serverState.slice();
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
 * Creates an Adam optimizer: `m = beta1 m + (1 - beta1) change; v = beta2 v + (1 - beta2) change^2; model +=
 * learningRate m / (sqrt(v) + tau)`. Without bias correction, as in the paper, v starts at tau^2 and m at 0:
 * the first steps are small because m is. With bias correction, both start at 0 and are divided by `1 - beta
 * ** steps`, as in Kingma and Ba's Adam. Source: Reddi et al., "Adaptive Federated Optimization", 2020,
 * algorithm 2.
 */
export function adamServer({
  learningRate,
  beta1,
  beta2,
  tau,
  biasCorrection,
}: AdamSettings): ServerOptimizer {
  // Layout: m, then v, then the number of steps, which a float32 holds exactly up to 2^24.
  const memoryLength = (length: number): number => 2 * length + 1;
  return {
    memoryLength,
    step({ base, change, serverState }) {
      const { length } = change;
      const next =
        serverState === undefined
          ? zerosLike(change, memoryLength(length)).fill(biasCorrection ? 0 : tau ** 2, length, 2 * length)
          : serverState.slice();
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
 * Performs a step and checks that the result is finite.
 * @throws {RangeError} If the server state has another length.
 * @throws {SednaError} `update-rejected` If the model or the server state would not be finite.
 */
export function stepServer(
  rule: string,
  { server, turn }: { readonly server: ServerOptimizer; readonly turn: ServerOptimizerState },
): { readonly model: Floats; readonly serverState: Floats | undefined } {
  const { base, change, serverState } = turn;
  const expected = server.memoryLength(base.length);
  if (serverState !== undefined && serverState.length !== expected)
    throw new RangeError(
      `aggregate by ${rule}: expected a server state of ${expected} numbers; got ${serverState.length}`,
    );
  const next = server.step({ base, change, serverState: expected === 0 ? undefined : serverState });
  for (const numbers of next === undefined ? [change] : [change, next]) {
    if (!allFinite(numbers))
      throw new SednaError(
        `aggregate by ${rule}: expected a finite model; got an infinity or NaN: the updates are too large; clip them with clipNorm`,
        { code: "update-rejected" },
      );
  }
  return { model: change, serverState: next };
}

/** Returns true if every number is finite. */
export function allFinite(numbers: Floats): boolean {
  // x - x is 0 for a finite x and NaN otherwise, and NaN propagates: four times as fast as calling isFinite
  // for each number.
  let found = 0;
  for (let i = 0; i < numbers.length; i++) found += numbers[i]! - numbers[i]!;
  return found === 0;
}

function zerosLike(like: Floats, length: number): Floats {
  return like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}
