import type { TrainingPlan } from "@sedna-js/core";

/**
 * Validates a plan before any work is done. Of the optimizer, only its kind and learning rate are checked
 * here; the kernels check its other numbers.
 *
 * @throws {TypeError} If `plan` is not an object.
 * @throws {RangeError} If the epochs, the batch size, a penalty, or the optimizer is invalid.
 */
export function checkPlan(plan: TrainingPlan): TrainingPlan {
  if (typeof plan !== "object" || plan === null)
    throw new TypeError(`train: expected a plan; got ${String(plan)}`);
  const { epochs, batchSize, optimizer, proximal = 0, l2 = 0 } = plan;
  for (const [name, value] of Object.entries({ epochs, batchSize })) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`train: expected ${name} as an integer of at least 1; got ${String(value)}`);
  }
  for (const [name, value] of Object.entries({ proximal, l2 })) {
    if (!Number.isFinite(value) || value < 0)
      throw new RangeError(`train: expected ${name} as a number of at least 0; got ${String(value)}`);
  }
  const { kind, learningRate } = (optimizer ?? {}) as {
    readonly kind?: unknown;
    readonly learningRate?: unknown;
  };
  if (kind !== "sgd" && kind !== "adam")
    throw new RangeError(`train: expected an optimizer of kind sgd or adam; got ${String(kind)}`);
  if (typeof learningRate !== "number" || !(learningRate > 0) || learningRate === Infinity)
    throw new RangeError(`train: expected a learning rate above 0; got ${String(learningRate)}`);
  return plan;
}
