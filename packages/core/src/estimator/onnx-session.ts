import type { Tensors, TensorSpec } from "../tensor.ts";

/** A loaded ONNX model. */
export interface OnnxSession {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Execution provider that runs the model. */
  readonly backend: string;
  /**
   * True if axis 0 of all inputs and outputs is the same free axis, by its name in the model: the batch axis.
   */
  readonly batches: boolean;
  run(feeds: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** A file of a model's weights, under the path by which the model refers to it. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/** Opens models. {@link onnxRuntime} creates it from either ONNX Runtime package. */
export interface OnnxRuntime {
  /**
   * Creates a session.
   * @throws {SednaError} `model-unreadable` If the runtime cannot run the bytes as a model.
   */
  createSession(
    model: Uint8Array,
    options?: { readonly externalData?: readonly ExternalData[] | undefined },
  ): Promise<OnnxSession>;
}
