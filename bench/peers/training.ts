/** A softmax head to train on frozen features. */
export interface Training {
  /** `[n, features]` */
  readonly samples: Float32Array;
  /** The class of each sample. */
  readonly labels: Uint32Array;
  readonly features: number;
  readonly classes: number;
  readonly epochs: number;
  /**
   * Samples per step. The last batch of an epoch may have fewer. Each epoch processes the samples in order.
   */
  readonly batchSize: number;
  /** Plain SGD, or Adam with betas .9 and .999 and epsilon 1e-8. */
  readonly optimizer: { readonly kind: "sgd" | "adam"; readonly learningRate: number };
}

/** A contestant of the training benchmark. */
export interface TrainingPeer {
  readonly name: string;
  readonly version: string;
  /** Threads, instruction set, and data layout, as a phrase. */
  readonly layout: string;
  /** Trains from zero weights through all epochs. */
  run(): void | Promise<void>;
  /** Returns the result of the last run: weights `[classes, features]`, then the biases. */
  weights(): Float32Array;
  dispose(): void;
}
