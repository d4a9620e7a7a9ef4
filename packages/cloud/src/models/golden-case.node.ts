import {
  arrayOf,
  elementCount,
  importOptional,
  onnxRuntime,
  tensor,
  type ExternalData,
  type OrtModule,
  type Tensor,
  type Tensors,
  type TensorSpec,
} from "@sedna-js/core";

/** What a model takes and gives, and what it gives for inputs of a seed. */
export interface DescribedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly golden?: { readonly inputs: Tensors; readonly outputs: Tensors };
}

/**
 * Opens a model once in Node: its inputs and outputs and, where it is asked, a golden case.
 * @throws {SednaError} `model-unreadable`, `missing-dependency` without onnxruntime-node, `run-failed`.
 */
export async function describeModel(
  model: Uint8Array,
  {
    externalData,
    seed,
  }: { readonly externalData: readonly ExternalData[]; readonly seed?: number | undefined },
): Promise<DescribedModel> {
  const ort = await importOptional("onnxruntime-node", {
    action: "load ONNX Runtime",
    load: () => import("onnxruntime-node"),
  });
  const runtime = onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"] });
  const session = await runtime.createSession(model, { externalData });
  try {
    const { inputs, outputs } = session;
    if (seed === undefined) return { inputs, outputs };
    const random = generator(seed);
    const feeds = Object.fromEntries(inputs.map((spec) => [spec.name, randomTensor(spec, random)]));
    return { inputs, outputs, golden: { inputs: feeds, outputs: await session.run(feeds) } };
  } finally {
    await session.release();
  }
}

/** Numbers in 0..1, as pictures have; a free axis is 1 long. Whole ones are 0 or 1, which indices and masks may be too. */
function randomTensor({ dtype, shape }: TensorSpec, random: () => number): Tensor {
  const fixed = shape.map((axis) => Math.max(axis, 1));
  const numbers = Array.from({ length: elementCount(fixed) }, () =>
    dtype.startsWith("float") ? random() : Math.round(random()),
  );
  return tensor(
    dtype,
    fixed,
    dtype === "int64"
      ? BigInt64Array.from(numbers, BigInt)
      : arrayOf[dtype as Exclude<typeof dtype, "int64">].from(numbers),
  );
}

/** Repeatable numbers in 0..1. Source: mulberry32, Tommy Ettinger. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
