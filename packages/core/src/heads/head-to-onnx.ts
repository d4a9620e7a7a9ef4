import type { Head } from "@sedna-js/wasm-kernels";
import { checkLength, headLayout, type HeadTensor } from "./head-layout.ts";
import { bytes, integer, join, text, type Chunks } from "./protobuf.ts";

/** Options of {@link headToOnnx}. */
export interface HeadToOnnxOptions {
  readonly head: Head;
  /** Flat parameters, as `headTrainer` returns them. */
  readonly weights: Float32Array;
  /** Name of the model's input. Default "features". */
  readonly inputName?: string;
  /** Name of the model's output. Default "probabilities". */
  readonly outputName?: string;
  /** Class names. Stored as `names`, a JSON list, in the model's metadata. */
  readonly labels?: readonly string[];
}

const FLOAT = 1;
const INT_ATTRIBUTE = 2;

/**
 * Writes a trained head as an ONNX model: float32 `[n, features]` in, probabilities `[n, classes]` out; one
 * Gemm per layer, Relu between layers, Softmax last. Opset 13, IR version 8: every ONNX Runtime from 1.8 on
 * reads it. Source: onnx/onnx.proto.
 *
 * @throws {TypeError} If there are more or fewer weights than the head has.
 * @throws {RangeError} If there are more or fewer labels than classes, or the input or output name is empty
 * or already in use.
 */
export function headToOnnx({
  head,
  weights,
  inputName = "features",
  outputName = "probabilities",
  labels,
}: HeadToOnnxOptions): Uint8Array<ArrayBuffer> {
  const layout = headLayout(head);
  checkLength(layout, weights);
  if (labels && labels.length !== head.classes)
    throw new RangeError(`write a head as ONNX: expected ${head.classes} labels; got ${labels.length}`);
  const taken = [
    inputName,
    ...(head.kind === "mlp" ? ["sums", "activations"] : []),
    "logits",
    outputName,
    ...layout.map(({ name }) => name),
  ];
  const twice = taken.find((name, i) => name === "" || taken.indexOf(name) < i);
  if (twice !== undefined)
    throw new RangeError(
      `write a head as ONNX: expected unique input and output names; got ${JSON.stringify(twice)}`,
    );

  const nodes =
    head.kind === "softmax"
      ? [gemm({ input: inputName, weights: "weight", biases: "bias", output: "logits" })]
      : [
          gemm({ input: inputName, weights: "hidden.weight", biases: "hidden.bias", output: "sums" }),
          node("Relu", { inputs: ["sums"], output: "activations" }),
          gemm({ input: "activations", weights: "output.weight", biases: "output.bias", output: "logits" }),
        ];
  nodes.push(node("Softmax", { inputs: ["logits"], output: outputName }));
  const graph = [
    ...nodes.flat(),
    ...text(2, "head"),
    ...layout.flatMap((one) => bytes(5, initializer(one, weights))),
    ...bytes(11, value(inputName, head.features)),
    ...bytes(12, value(outputName, head.classes)),
  ];
  const names = labels ? bytes(14, [...text(1, "names"), ...text(2, JSON.stringify(labels))]) : [];
  return join([
    ...integer(1, 8),
    ...text(2, "sedna-js"),
    ...bytes(7, graph),
    ...bytes(8, [...text(1, ""), ...integer(2, 13)]),
    ...names,
  ]);
}

/** Options of {@link gemm}. */
interface GemmOptions {
  readonly input: string;
  readonly weights: string;
  readonly biases: string;
  readonly output: string;
}

/** Writes a node for `output = input * weights^T + biases`. */
function gemm({ input, weights, biases, output }: GemmOptions): Chunks {
  return node("Gemm", {
    inputs: [input, weights, biases],
    output,
    attributes: bytes(5, [...text(1, "transB"), ...integer(3, 1), ...integer(20, INT_ATTRIBUTE)]),
  });
}

/** Options of {@link node}. */
interface NodeOptions {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Chunks;
}

function node(operator: string, { inputs, output, attributes = [] }: NodeOptions): Chunks {
  return bytes(1, [
    ...inputs.flatMap((input) => text(1, input)),
    ...text(2, output),
    ...text(4, operator),
    ...attributes,
  ]);
}

/** Writes a tensor as an initializer. ONNX raw data are the elements in little-endian order. */
function initializer({ name, shape, offset, length }: HeadTensor, weights: Float32Array): Chunks {
  const raw = new Uint8Array(weights.buffer, weights.byteOffset + 4 * offset, 4 * length);
  return [
    ...shape.flatMap((axis) => integer(1, axis)),
    ...integer(2, FLOAT),
    ...text(8, name),
    ...bytes(9, [raw]),
  ];
}

/** Describes a float32 `[n, columns]` value; n is free and the same in input and output: the batch axis. */
function value(name: string, columns: number): Chunks {
  const shape = [...bytes(1, text(2, "n")), ...bytes(1, integer(1, columns))];
  return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, FLOAT), ...bytes(2, shape)]))];
}
