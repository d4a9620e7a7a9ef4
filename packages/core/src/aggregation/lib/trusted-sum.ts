import { SednaError, describeValue } from "../../errors.ts";
import { dot } from "./dot.ts";
import type { Floats } from "../server-optimizer.ts";

/** A sum of updates, each weighed by its cosine to a trusted update. */
export interface TrustedSum {
  /** Number of updates with a positive weight. */
  readonly trusted: number;
  /** Adds an update of finite numbers. */
  add(update: Floats, l2Norm: number): void;
  /**
   * Writes the weighted mean to `target`, with each update scaled to the trusted update's norm; zeros if no
   * update is trusted.
   */
  mean<Kind extends Floats>(target: Kind): Kind;
}

/**
 * Creates a sum of updates weighed by trust: the cosine to the root update if it is positive, else 0.
 * @throws {TypeError} If the root update is not a Float32Array of `length`.
 * @throws {RangeError} If a number of the root update is not finite.
 * @throws {SednaError} `cohort-too-small` If the root update is zero and cannot measure trust.
 */
export function trustedSum(root: Float32Array, length: number): TrustedSum {
  if (!(root instanceof Float32Array) || root.length !== length)
    throw new TypeError(
      `aggregate by FLTrust: expected rootUpdate to return a Float32Array of ${length}; got ${describeValue(root)}`,
    );
  const rootSquares = dot(root, root);
  if (!Number.isFinite(rootSquares))
    throw new RangeError(
      "aggregate by FLTrust: expected a root update of finite numbers; got NaN or an infinity among them",
    );
  if (rootSquares === 0)
    throw new SednaError("aggregate by FLTrust: expected at least 1 root update that is not zero; got 0", {
      code: "cohort-too-small",
    });
  const rootNorm = Math.sqrt(rootSquares);
  const sum = new Float64Array(length);
  let trusted = 0;
  let total = 0;
  return {
    get trusted() {
      return trusted;
    },
    add(update, l2Norm) {
      const trust = l2Norm === 0 ? 0 : dot(update, root) / (l2Norm * rootNorm);
      if (!(trust > 0)) return;
      trusted += 1;
      total += trust;
      const factor = trust * (rootNorm / l2Norm);
      for (let i = 0; i < length; i++) sum[i]! += factor * update[i]!;
    },
    mean(target) {
      for (let i = 0; i < length; i++) target[i] = total === 0 ? 0 : sum[i]! / total;
      return target;
    },
  };
}
