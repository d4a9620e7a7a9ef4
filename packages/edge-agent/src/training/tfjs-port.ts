// The part of TensorFlow.js's types that the adapter uses, so that only users of the adapter need the
// library. Source:
// @tensorflow/tfjs-core and -layers 4.22.

/** A `tf.Tensor`. */
export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** A `tf.Optimizer`. */
export interface TfOptimizer {
  dispose(): void;
}

/** The TensorFlow.js module: `@tensorflow/tfjs`, or `@tensorflow/tfjs-core` with a backend. */
export interface Tf {
  tensor(values: Float32Array, shape: number[]): TfTensor;
  readonly train: {
    sgd(learningRate: number): TfOptimizer;
    momentum(learningRate: number, momentum: number): TfOptimizer;
    adam(learningRate: number, beta1: number, beta2: number, epsilon: number): TfOptimizer;
  };
  getBackend(): string;
}

/**
 * A `tf.LayersModel` with one input and one softmax output. Parameters that accept several types are typed as
 * `unknown`.
 */
export interface TfLayersModel {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[];
  readonly outputs: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[];
  readonly weights: readonly { readonly name: string }[];
  /** The model's own tensors, not copies. */
  getWeights(): TfTensor[];
  setWeights(weights: TfTensor[]): void;
  compile(options: {
    readonly optimizer: unknown;
    readonly loss?: unknown;
    readonly metrics?: unknown;
  }): void;
  trainOnBatch(x: unknown, y: unknown): Promise<number | number[]>;
  predict(x: unknown, options?: { batchSize?: number }): TfTensor | TfTensor[];
}
