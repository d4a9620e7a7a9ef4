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

/** What a served estimator takes: a picture, or a model's inputs by name. */
export type ServedSample = Frame | Tensors;
/** What it answers: detections, or a model's outputs by name. */
export type ServedResult = Detections | Tensors;
/** The estimators that a big-model service can serve. */
export type ServedEstimator = Estimator<Frame, Detections> | Estimator<Tensors, Tensors>;

/** How the wire's shapes become samples of a model, and its results the wire's shapes. */
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

/** The wire's view of an estimator that has been loaded. */
export function servedModel(
  metadata: EstimatorMetadata,
  { decodeImage, frame }: { readonly decodeImage?: DecodeImage; readonly frame: (pixels: Tensor) => Frame },
): ServedModel {
  return metadata.kind === "image" ? imageModel(metadata, { decodeImage, frame }) : tensorModel(metadata);
}

/** A detector: one encoded picture in, rows [n,6] out. */
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

/** A model as it is: tensors in and out, by its own names. */
function tensorModel({ inputs, outputs, backend }: EstimatorMetadata): ServedModel {
  return {
    backend,
    inputs,
    outputs,
    fromImage: () => Promise.reject(new WireError("predict: expected JSON; this model takes no pictures")),
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
        // A client that knows only "the input" may call it `input`, where there is no other.
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
 * Inputs that the model takes: what does not fit is the client's to mend, and no other's sample suffers for
 * it.
 */
function checked(specs: readonly TensorSpec[], sample: Tensors): Tensors {
  try {
    checkInputs(specs, sample);
    return sample;
  } catch (cause) {
    throw new WireError(messageOf(cause), { cause });
  }
}

/** Closes the pictures among samples that have been answered. */
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
