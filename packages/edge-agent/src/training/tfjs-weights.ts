import type { Tensor } from "@sedna-js/core";
import type { HeadOptimizer } from "@sedna-js/wasm-kernels";
import type { Tf, TfLayersModel, TfOptimizer, TfTensor } from "./tfjs-port.ts";

/**
 * Returns the shape of a classifier's samples and its number of classes.
 *
 * @throws {TypeError} If the model is not a classifier with one input and one output.
 */
export function modelShape({ inputs, outputs }: TfLayersModel): {
  readonly inputShape: readonly number[];
  readonly classes: number;
} {
  const [input, secondInput] = inputs;
  const [output, secondOutput] = outputs;
  const inputShape = input?.shape.slice(1) ?? [];
  const isKnown = inputShape.every((axis): axis is number => typeof axis === "number");
  const classes = output?.shape[1];
  if (
    !input ||
    !output ||
    secondInput ||
    secondOutput ||
    !isKnown ||
    output.shape.length !== 2 ||
    typeof classes !== "number"
  ) {
    throw new TypeError(
      `train with TensorFlow.js: expected a model with one input of a known shape and one output [n, classes]; got inputs ${shapes(inputs)} and outputs ${shapes(outputs)}`,
    );
  }
  return { inputShape, classes };
}

const shapes = (all: TfLayersModel["inputs"]): string =>
  all.map(({ shape }) => `[${shape.map((axis) => axis ?? "n")}]`).join(", ") || "none";

/** Creates the optimizer of a plan, with the same defaults as the training kernels. */
export function tfOptimizer({ train }: Tf, optimizer: HeadOptimizer): TfOptimizer {
  const { learningRate } = optimizer;
  if (optimizer.kind === "adam")
    return train.adam(
      learningRate,
      optimizer.beta1 ?? 0.9,
      optimizer.beta2 ?? 0.999,
      optimizer.epsilon ?? 1e-8,
    );
  return optimizer.momentum ? train.momentum(learningRate, optimizer.momentum) : train.sgd(learningRate);
}

/** Disposes the tensors of an optimizer. */
export function disposeOptimizer(optimizer: TfOptimizer): void {
  optimizer.dispose();
  // The momentum optimizer of 4.22 does not dispose the learning rate that it inherits from SGD. Disposing
  // twice has no effect.
  (optimizer as { readonly c?: TfTensor }).c?.dispose();
}

/**
 * Returns a copy of a model's weights. The tensors of `getWeights()` belong to the model and must not be
 * disposed.
 */
export async function readWeights(model: TfLayersModel): Promise<Tensor[]> {
  return Promise.all(
    model.getWeights().map(async (one): Promise<Tensor> => ({
      dtype: "float32",
      shape: [...one.shape],
      data: Float32Array.from(await one.data()),
    })),
  );
}

/**
 * Sets a model's weights. If it throws, no weights are changed.
 *
 * @throws {TypeError} If the number of tensors, a type, or a shape differs from the model's.
 * @throws {RangeError} If a number is not finite.
 */
export function writeWeights(
  tf: Tf,
  { model, weights }: { readonly model: TfLayersModel; readonly weights: readonly Tensor[] },
): void {
  const now = model.getWeights();
  if (!Array.isArray(weights) || weights.length !== now.length)
    throw new TypeError(
      `set a network's weights: expected ${now.length} tensors; got ${Array.isArray(weights) ? weights.length : typeof weights}`,
    );
  for (const [i, { dtype, shape, data }] of weights.entries()) {
    const { name } = model.weights[i]!;
    if (dtype !== "float32" || !(data instanceof Float32Array) || String(shape) !== String(now[i]!.shape))
      throw new TypeError(
        `set a network's weights: expected ${name} as float32 [${now[i]!.shape}]; got ${dtype} [${shape}]`,
      );
    if (!data.every(Number.isFinite))
      throw new RangeError(`set a network's weights: expected finite numbers in ${name}; got others`);
  }
  const made: TfTensor[] = [];
  try {
    // Copy the data, because a backend may keep the array that it receives.
    for (const { shape, data } of weights) made.push(tf.tensor((data as Float32Array).slice(), [...shape]));
    model.setWeights(made);
  } finally {
    for (const one of made) one.dispose();
  }
}
