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
   * Samples a step; the last batch of an epoch may have fewer. Each epoch takes the samples in their order.
   */
  readonly batchSize: number;
  /** Plain SGD, or Adam with betas .9 and .999 and epsilon 1e-8. */
  readonly optimizer: { readonly kind: "sgd" | "adam"; readonly learningRate: number };
}

/** A contestant of the training benchmark. */
export interface TrainingPeer {
  readonly name: string;
  readonly version: string;
  /** Threads, instructions and layout, in a sentence. */
  readonly layout: string;
  /** Trains from zeros through all epochs. */
  run(): void | Promise<void>;
  /** What the last run reached: weights `[classes, features]`, then the biases. */
  weights(): Float32Array;
  dispose(): void;
}
