import type { ModelUpdate, UpdateNorm, VectorKernels } from "@sedna-js/wasm-kernels";
import type { Tensor } from "../tensor.ts";

/** The result of one client's training, as in Sedna's `AggClient`: whole weights, layer by layer. */
export interface AggClient {
  readonly numSamples: number;
  readonly weights: readonly Tensor[];
}

/** Accumulates the updates of a round into a new model. */
export interface Accumulator {
  readonly count: number;
  /** Sum of the weights of the added updates. */
  readonly totalWeight: number;
  /**
   * Adds one client's update to the round. An update that contains NaN or an infinity changes nothing.
   * @throws {RangeError} If a number is not finite, the length differs from the model's, or the weight is not
   * above 0.
   */
  add(
    update: ModelUpdate,
    options: {
      /**
       * Number of the client's samples. Rules that weigh updates by it cannot detect a false number: cap it.
       */
      readonly weight: number;
      readonly client: string;
      /**
       * Number of versions between the model that the update was trained on and the round's model, in
       * buffered mode. Rules that weigh updates discount it by `stalenessWeight`. Default 0.
       */
      readonly staleness?: number;
    },
  ): UpdateNorm;
  /**
   * Returns the mean of the added updates in a form that `restore` of a new round accepts as if they had been
   * added there. Returns `undefined` if the rule needs the individual updates; the caller must then log the
   * updates.
   */
  state(): { readonly count: number; readonly totalWeight: number; readonly mean: Float32Array } | undefined;
  restore(state: { readonly count: number; readonly totalWeight: number; readonly mean: Float32Array }): void;
  /**
   * The new model.
   * @throws {SednaError} `cohort-too-small` if fewer updates than the rule's minimum were added;
   * `update-rejected` if the sum is too large for the model to stay finite.
   */
  finish(): {
    readonly model: Float32Array;
    /** State of the server optimizer for the next round, such as momentum. */ readonly serverState:
      | Float32Array
      | undefined;
  };
  dispose(): void;
}

/** The options of a round. */
export interface AggregationRound {
  readonly kernels: VectorKernels;
  /** The round's model, flat. Updates are differences from it. */
  readonly base: Float32Array;
  /** Maximum number of updates. */
  readonly capacity: number;
  /** The server state that the last round's `finish` returned. */
  readonly serverState?: Float32Array | undefined;
  /** Uniform draws in [0,1), for randomized rules. */
  readonly random: () => number;
}

/**
 * A rule that aggregates updates into one model. Created from a table: `select(aggregation, { method:
 * "FedAvg" })`.
 */
export interface Aggregator {
  readonly name: string;
  /** Minimum number of updates for which the rule's guarantee holds. With fewer updates the rule throws. */
  readonly minClients: number;
  /**
   * True if the rule needs only the weighted sum, as secure aggregation returns it. A rule that clips needs
   * each update.
   */
  readonly needsSumOnly: boolean;
  /**
   * Sedna's batch form: takes the whole weights of all clients at once. Without clients, returns the last
   * result or `undefined`.
   */
  aggregate(clients: readonly AggClient[]): readonly Tensor[] | undefined;
  createAccumulator(round: AggregationRound): Accumulator;
}
