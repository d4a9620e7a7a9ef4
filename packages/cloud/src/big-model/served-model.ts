import {
  fromNested,
  SednaError,
  tensor,
  toNested,
  WireError,
  type DecodeImage,
  type Detections,
  type Estimator,
  type EstimatorMetadata,
  type Frame,
  type Tensor,
  type Tensors,
  type TensorSpec,
} from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { checkInputs } from "@sedna-js/core/tensor";
import { isFrame } from "@sedna-js/core/vision";
import type { OipTensor } from "@sedna-js/core/wire";

/** Input of a served estimator: a picture, or a model's inputs by name. */
export type ServedSample = Frame | Tensors;
/** Result of a served estimator: detections, or a model's outputs by name. */
export type ServedResult = Detections | Tensors;
/** The estimators that a big-model service can serve. */
export type ServedEstimator = Estimator<Frame, Detections> | Estimator<Tensors, Tensors>;

/** Converts inputs from the wire formats to a model's samples, and results to the wire formats. */
export interface ServedModel {
  readonly inputs: readonly (TensorSpec | ImageSpec)[];
  readonly outputs: readonly TensorSpec[];
  readonly backend: string;
  fromImage(bytes: Uint8Array): Promise<ServedSample>;
  fromNested(data: readonly unknown[]): ServedSample;
  fromTensors(inputs: Readonly<Record<string, OipTensor>>): Promise<ServedSample>;
  toNested(result: ServedResult): unknown[];
  toTensors(result: ServedResult): Record<string, Tensor>;
}

interface ImageSpec {
  readonly name: string;
  readonly dtype: "bytes";
  readonly shape: readonly number[];
}

/** Returns the wire converters of a loaded estimator. */
export function servedModel(
  metadata: EstimatorMetadata,
  { decodeImage, frame }: { readonly decodeImage?: DecodeImage; readonly frame: (pixels: Tensor) => Frame },
): ServedModel {
  return metadata.kind === "image" ? imageModel(metadata, { decodeImage, frame }) : tensorModel(metadata);
}

/** Returns the converters of a detector: one encoded picture as input, rows [n,6] as output. */
function imageModel(
  { backend }: EstimatorMetadata,
  { decodeImage, frame }: { readonly decodeImage?: DecodeImage; readonly frame: (pixels: Tensor) => Frame },
): ServedModel {
  const decode = async (bytes: Uint8Array): Promise<Frame> => {
    if (!decodeImage)
      throw new SednaError("read an encoded picture: expected a decoder; this server has none", {
        code: "missing-dependency",
      });
    try {
      return await decodeImage(bytes);
    } catch (cause) {
      if (cause instanceof SednaError) throw cause;
      throw new WireError(messageOf(cause), { cause });
    }
  };
  const rows = (result: ServedResult): Detections => result as Detections;

  return {
    backend,
    inputs: [{ name: "image", dtype: "bytes", shape: [1] }],
    outputs: [{ name: "detections", dtype: "float32", shape: [-1, 6] }],
    fromImage: decode,
    fromNested: (data) => frame(withoutBatch(nested(data, "uint8"), 3)),
    async fromTensors(inputs) {
      const image = only(inputs, "image");
      if (image.dtype === "uint8") return frame(withoutBatch(image, 3));
      if (image.dtype !== "bytes" || image.data.length !== 1)
        throw new WireError(
          `infer: expected the input image as one BYTES element or UINT8 [height,width,3]; got ${image.dtype} [${image.shape}]`,
        );
      return decode(image.data[0]!);
    },
    toNested: (result) => rows(result).map((row) => [...row]),
    toTensors: (result) => ({
      detections: tensor("float32", [rows(result).length, 6], Float32Array.from(rows(result).flat())),
    }),
  };
}

/** Returns the converters of a model with tensors as inputs and outputs, under the model's own names. */
function tensorModel({ inputs, outputs, backend }: EstimatorMetadata): ServedModel {
  return {
    backend,
    inputs,
    outputs,
    fromImage: () =>
      Promise.reject(new WireError("predict: expected JSON; this model does not accept pictures")),
    fromNested(data) {
      const [input, ...others] = inputs;
      if (!input || others.length > 0)
        throw new WireError(
          `predict: expected a model with one input; this one has ${inputs.length}, use the Open Inference Protocol`,
        );
      const value = nested(data, input.dtype);
      return checked(inputs, {
        [input.name]:
          value.shape.length === input.shape.length - 1 ? { ...value, shape: [1, ...value.shape] } : value,
      });
    },
    async fromTensors(given) {
      const names = Object.keys(given);
      const sample: Record<string, Tensor> = {};
      for (const [name, one] of Object.entries(given)) {
        // A client may call a model's only input `input`.
        const known = name === "input" && names.length === 1 && inputs.length === 1 ? inputs[0]!.name : name;
        if (!inputs.some((spec) => spec.name === known))
          throw new WireError(
            `infer: expected the inputs ${inputs.map((spec) => spec.name).join(", ")}; got ${names.join(", ")}`,
          );
        if (one.dtype === "bytes") throw new WireError(`infer: expected ${name} as numbers; got BYTES`);
        sample[known] = one;
      }
      return checked(inputs, sample);
    },
    toNested(result) {
      const [first] = Object.values(result as Tensors);
      const list = first && toNested(first);
      return Array.isArray(list) ? list : [list];
    },
    toTensors: (result) => ({ ...(result as Tensors) }),
  };
}

/**
 * Returns the sample if it fits the model's inputs. Checks each sample before it is queued, so that an
 * invalid one does not fail the others of its batch.
 * @throws {WireError} If the sample does not fit.
 */
function checked(specs: readonly TensorSpec[], sample: Tensors): Tensors {
  try {
    checkInputs(specs, sample);
    return sample;
  } catch (cause) {
    throw new WireError(messageOf(cause), { cause });
  }
}

/** Closes a sample that is a picture. */
export function closeServed(sample: ServedSample): void {
  if (isFrame(sample)) sample.close();
}

function nested(data: readonly unknown[], dtype: Tensor["dtype"]): Tensor {
  try {
    return fromNested(data, dtype);
  } catch (cause) {
    throw new WireError(messageOf(cause), { cause });
  }
}

function only(inputs: Readonly<Record<string, OipTensor>>, name: string): OipTensor {
  const names = Object.keys(inputs);
  const found = inputs[name];
  if (!found || names.length !== 1)
    throw new WireError(`infer: expected one input, ${name}; got ${names.join(", ")}`);
  return found;
}

function withoutBatch(value: Tensor, rank: number): Tensor {
  return value.shape.length === rank + 1 && value.shape[0] === 1
    ? { ...value, shape: value.shape.slice(1) }
    : value;
}
