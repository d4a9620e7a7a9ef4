import type { ModelUpdate, UpdateNorm, VectorKernels } from "@sedna-js/wasm-kernels";
import type { Tensor } from "../tensor.ts";

/** What one client trained, as Sedna's `AggClient` has it: whole weights, layer by layer. */
export interface AggClient {
  readonly numSamples: number;
  readonly weights: readonly Tensor[];
}

/** A round's updates on their way to a new model. */
export interface Accumulator {
  readonly count: number;
  /** Sum of the weights that were added. */
  readonly totalWeight: number;
  /**
   * Adds one client's change of the model. With a NaN or an infinity in it nothing changes.
   * @throws {RangeError} on numbers that are not finite, another length, a weight that is not above 0.
   */
  add(
    update: ModelUpdate,
    options: {
      /** The client's samples. Rules that weigh updates by it take a wrong one at its word: cap it. */
      readonly weight: number;
      readonly client: string;
      /**
       * Versions between the model that it was trained on and this one, in the buffered mode; default 0.
       * Rules that weigh discount it by `stalenessWeight`.
       */
      readonly staleness?: number;
    },
  ): UpdateNorm;
  /**
   * What was added so far in a form that `restore` of a new round takes back, as if all had been added there:
   * the mean, or undefined for a rule that needs the updates themselves (then who logs must keep those).
   */
  state(): { readonly count: number; readonly totalWeight: number; readonly mean: Float32Array } | undefined;
  restore(state: { readonly count: number; readonly totalWeight: number; readonly mean: Float32Array }): void;
  /**
   * The new model.
   * @throws {SednaError} `cohort-too-small` when fewer than the rule's least were added; `update-rejected`
   * when what was added is too large for the model to stay finite.
   */
  finish(): {
    readonly model: Float32Array;
    /** The aggregator's own memory for the next round, such as momentum. */ readonly memory:
      | Float32Array
      | undefined;
  };
  dispose(): void;
}

/** What a round is opened with. */
export interface AggregationRound {
  readonly kernels: VectorKernels;
  /** The round's model, flat; updates are changes of it. */
  readonly base: Float32Array;
  /** Most updates that may come. */
  readonly capacity: number;
  /** What the last round's `finish` gave. */
  readonly memory?: Float32Array | undefined;
  /** Uniform in [0,1), for rules that draw. */
  readonly random: () => number;
}

/** A rule that makes one model of many. Built from a table: `select(aggregation, { method: "FedAvg" })`. */
export interface Aggregator {
  readonly name: string;
  /** Fewer updates than this and its promise does not hold: it refuses. */
  readonly minClients: number;
  /**
   * True where it needs only the weighted sum, as a secure sum gives it. A rule that clips needs to see each
   * update.
   */
  readonly needsSumOnly: boolean;
  /** Sedna's form: whole weights of all clients at once. No clients: the last result, or undefined. */
  aggregate(clients: readonly AggClient[]): readonly Tensor[] | undefined;
  open(round: AggregationRound): Accumulator;
}
