import { SednaError, describeValue } from "../../errors.ts";
import { dot } from "./dot.ts";
import type { Floats } from "../server-optimizer.ts";

/** A sum of updates, each as far as it points the way of one that is trusted. */
export interface TrustedSum {
  /** Updates that point at least a little its way. */
  readonly trusted: number;
  /** Adds an update of finite numbers. */
  add(update: Floats, l2Norm: number): void;
  /**
   * The mean by trust, each update at the trusted one's length; zeros while none is trusted. Adds 0 to what
   * it writes to.
   */
  mean<Kind extends Floats>(target: Kind): Kind;
}

/**
 * Trust is the cosine to the root's update where that is positive, else 0.
 * @throws {TypeError} when the root's update is no Float32Array of `length`.
 * @throws {RangeError} when a number of it is not finite.
 * @throws {SednaError} `cohort-too-small` when it is 0: there is nothing to measure trust by.
 */
export function trustedSum(root: Float32Array, length: number): TrustedSum {
  if (!(root instanceof Float32Array) || root.length !== length)
    throw new TypeError(
      `aggregate by FLTrust: expected rootUpdate to give a Float32Array of ${length}; got ${describeValue(root)}`,
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
