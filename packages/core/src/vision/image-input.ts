import type { ImageToTensor, ImageToTensorSpec, PerceptionKernels } from "@sedna-js/wasm-kernels";
import { SednaError } from "../errors.ts";
import { tensor, type Tensor, type TensorSpec } from "../tensor.ts";
import { checkSize, type Frame } from "./frame.ts";

/** How an image becomes a model's input. Width and height are read from the model. */
export type ImageInputSpec = Omit<ImageToTensorSpec, "width" | "height">;

/** Position of a model's input pixels in the image: `picture = (input - offset) / scale`. */
export interface Geometry {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** Creates a model's image input; see {@link createImageInput}. */
export interface ImageInput {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Converts a frame. The tensor is a view that the next call overwrites. */
  convert(frame: Frame): Promise<{ readonly tensor: Tensor; readonly geometry: Geometry }>;
  dispose(): void;
}

/** Options of {@link createImageInput}. */
interface ImageInputOptions {
  readonly kernels: PerceptionKernels;
  readonly spec: ImageInputSpec;
  readonly task: string;
}

/**
 * Prepares the conversion of frames to the single image input of a model.
 * @throws {SednaError} `model-mismatch` If the model's inputs are not one float32 image of fixed size.
 */
export function createImageInput(
  inputs: readonly TensorSpec[],
  { kernels, spec, task }: ImageInputOptions,
): ImageInput {
  const axes = spec.layout === "nchw" ? "[1,3,height,width]" : "[1,height,width,3]";
  const [input, ...others] = inputs;
  const [channels, height, width] = spec.layout === "nchw" ? [1, 2, 3] : [3, 1, 2];
  const shape = input?.shape ?? [];
  if (
    !input ||
    others.length > 0 ||
    input.dtype !== "float32" ||
    shape.length !== 4 ||
    Math.abs(shape[0]!) !== 1 ||
    shape[channels!] !== 3 ||
    !(shape[height!]! > 0) ||
    !(shape[width!]! > 0)
  ) {
    const got = inputs.map((one) => `${one.name}: ${one.dtype} [${one.shape}]`).join("; ") || "none";
    throw new SednaError(
      `bind ${task}: expected a model with one float32 input ${axes} of fixed size; got ${got}`,
      { code: "model-mismatch" },
    );
  }
  const size = { width: shape[width!]!, height: shape[height!]! };
  const converter: ImageToTensor = kernels.imageToTensor({ ...spec, ...size });

  return {
    name: input.name,
    ...size,
    async convert(frame) {
      checkSize(frame, `run ${task}`);
      await frame.copyTo(converter.source({ width: frame.width, height: frame.height }));
      const { data, scaleX, scaleY, offsetX, offsetY } = converter.convert();
      const dims = shape.map((axis) => (axis === -1 ? 1 : axis));
      return { tensor: tensor("float32", dims, data), geometry: { scaleX, scaleY, offsetX, offsetY } };
    },
    dispose: () => converter.dispose(),
  };
}
