import type { Tensors, TensorSpec } from "../tensor.ts";

/** A loaded model. */
export interface OnnxSession {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The execution provider that runs it. */
  readonly backend: string;
  /** True where axis 0 of all inputs and outputs is one free axis, by its name in the model: the batch. */
  readonly batches: boolean;
  run(feeds: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** A file that a model keeps weights in, under the name by which the model refers to it. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/** What opens models; {@link onnxRuntime} makes one of either ONNX Runtime package. */
export interface OnnxRuntime {
  /** @throws {SednaError} `model-unreadable` when the bytes are no model that this runtime can run. */
  createSession(
    model: Uint8Array,
    options?: { readonly externalData?: readonly ExternalData[] | undefined },
  ): Promise<OnnxSession>;
}
