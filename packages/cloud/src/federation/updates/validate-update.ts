import type { RejectionCode } from "@sedna-js/core/wire";
import type { ModelUpdate, UpdateEncoding } from "@sedna-js/wasm-kernels";

/** Limits for an update. */
export interface UpdateLimits {
  /** Number of model parameters. */
  readonly length: number;
  /** Required encoding. `undefined` accepts any. */
  readonly encoding: UpdateEncoding | undefined;
  /** topk: maximum number of values in a payload. */
  readonly entries?: number | undefined;
  readonly maxNumSamples: number;
  /** Norm to which longer updates are scaled down. */
  readonly clipNorm?: number | undefined;
  /** Norm above which an update is rejected. */
  readonly maxUpdateNorm?: number | undefined;
}

/** Why an update is rejected. */
export interface Rejection {
  readonly rejected: RejectionCode;
  readonly error: string;
}

/** A rejection with the text "accept an update: expected ...; got ...". */
export const rejection = (
  rejected: RejectionCode,
  { expected, got }: { readonly expected: string; readonly got: unknown },
): Rejection => ({ rejected, error: `accept an update: expected ${expected}; got ${String(got)}` });

/** Checks the shape of an update that is not a message: its length, and its indices. */
export function checkShape(change: ModelUpdate, limits: UpdateLimits): Rejection | undefined {
  if (change.encoding === "topk") return checkEntries(change, limits);
  return change.values.length === limits.length
    ? undefined
    : rejection("wrong-shape", { expected: `${limits.length} parameters`, got: change.values.length });
}

/** Checks the indices of a sparse update: ascending, in range, and not too many. */
export function checkEntries(change: ModelUpdate, limits: UpdateLimits): Rejection | undefined {
  if (change.encoding !== "topk") return undefined;
  const { indices } = change;
  if (indices.length > (limits.entries ?? limits.length))
    return rejection("wrong-shape", {
      expected: `at most ${limits.entries ?? limits.length} entries`,
      got: indices.length,
    });
  let before = -1;
  for (const index of indices) {
    if (index <= before || index >= limits.length)
      return rejection("wrong-shape", {
        expected: `ascending indices below ${limits.length}`,
        got: `${index} after ${before}`,
      });
    before = index;
  }
  return undefined;
}

/** Checks the norm of an update, which is not finite if a value is not. */
export function checkNorm(norm: number, { maxUpdateNorm = Infinity }: UpdateLimits): Rejection | undefined {
  if (!Number.isFinite(norm))
    return rejection("not-finite", { expected: "finite numbers", got: "NaN or an infinity among them" });
  return norm > maxUpdateNorm
    ? rejection("norm-too-large", { expected: `an update norm of at most ${maxUpdateNorm}`, got: norm })
    : undefined;
}

/** Checks the sample count that a client reports. */
export function checkNumSamples(numSamples: number, { maxNumSamples }: UpdateLimits): Rejection | undefined {
  const isCount = Number.isSafeInteger(numSamples) && numSamples >= 1 && numSamples <= maxNumSamples;
  return isCount
    ? undefined
    : rejection("wrong-weight", {
        expected: `a whole number of samples from 1 to ${maxNumSamples}`,
        got: numSamples,
      });
}
