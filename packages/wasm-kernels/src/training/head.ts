import { integer, oneOf, wrongType } from "../module/check.ts";

/**
 * Sizes of a small classifier on frozen features: one dense layer, or two dense layers with a ReLU between
 * them, followed by a softmax.
 */
export type Head =
  | { readonly kind: "softmax"; readonly features: number; readonly classes: number }
  | { readonly kind: "mlp"; readonly features: number; readonly hidden: number; readonly classes: number };

/**
 * A dense layer of a head and the position of its parameters: weights `[outputs, inputs]`, row by row, and
 * one bias per output.
 */
export interface HeadLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Index of the first weight in the flat parameters. */
  readonly weights: number;
  /** Index of the first bias. */
  readonly biases: number;
}

/**
 * Validates a head and returns a copy of its sizes.
 *
 * @throws {TypeError} If the head or a size has the wrong type.
 * @throws {RangeError} If the kind or a size is out of range.
 */
export function checkHead(action: string, given: Head): Head {
  if (typeof given !== "object" || given === null)
    wrongType({ action, name: "head" }, { expected: "to be an object", got: given });
  const size = (name: "features" | "hidden" | "classes", value: unknown) =>
    integer({ action, name: `head.${name}` }, { value, least: 1, most: 0xffffff });
  const kind = oneOf({ action, name: "head.kind" }, { value: given.kind, choices: ["softmax", "mlp"] });
  const features = size("features", given.features);
  const classes = size("classes", given.classes);
  return kind === "softmax"
    ? { kind, features, classes }
    : { kind, features, hidden: size("hidden", (given as Head & { kind: "mlp" }).hidden), classes };
}

/**
 * Returns the layers of a head in the order of its flat parameters. Each layer has its weights, then its
 * biases.
 */
export function headLayers(head: Head): HeadLayer[] {
  const sizes =
    head.kind === "softmax" ? [head.features, head.classes] : [head.features, head.hidden, head.classes];
  const layers: HeadLayer[] = [];
  let next = 0;
  for (const [i, outputs] of sizes.slice(1).entries()) {
    const inputs = sizes[i]!;
    layers.push({ inputs, outputs, weights: next, biases: next + inputs * outputs });
    next += (inputs + 1) * outputs;
  }
  return layers;
}

/** Returns the number of parameters of a head. */
export function parameterCount(head: Head): number {
  return headLayers(head).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
}
