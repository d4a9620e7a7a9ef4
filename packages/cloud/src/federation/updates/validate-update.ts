import type { RejectionCode } from "@sedna-js/core/wire";
import type { ModelUpdate, UpdateEncoding } from "@sedna-js/wasm-kernels";

/** What an update has to be like. */
export interface UpdateLimits {
  /** Number of model parameters. */
  readonly length: number;
  /** Undefined takes any. */
  readonly encoding: UpdateEncoding | undefined;
  /** topk: most numbers in a payload. */
  readonly entries?: number | undefined;
  readonly maxNumSamples: number;
  /** A longer update counts as if it were scaled down to this length. */
  readonly clipNorm?: number | undefined;
  /** A longer one is refused. */
  readonly maxUpdateNorm?: number | undefined;
}

/** Why an update is not taken. */
export interface Rejection {
  readonly rejected: RejectionCode;
  readonly error: string;
}

/** A rejection with the text "accept an update: expected ...; got ...". */
export const rejection = (
  rejected: RejectionCode,
  { expected, got }: { readonly expected: string; readonly got: unknown },
): Rejection => ({ rejected, error: `accept an update: expected ${expected}; got ${String(got)}` });

/** Looks at the shape of a change that came as one: its kind, its length, its indices. */
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
    return rejection("wrong-shape", { expected: `at most ${limits.entries} entries`, got: indices.length });
  let before = -1;
  for (const index of indices) {
    if (index <= before || index >= limits.length)
      return rejection("wrong-shape", {
        expected: `indices that ascend, below ${limits.length}`,
        got: `${index} after ${before}`,
      });
    before = index;
  }
  return undefined;
}

/** Looks at the length of a change, which is not finite when one of its numbers is not. */
export function checkNorm(norm: number, { maxUpdateNorm = Infinity }: UpdateLimits): Rejection | undefined {
  if (!Number.isFinite(norm))
    return rejection("not-finite", { expected: "finite numbers", got: "NaN or an infinity among them" });
  return norm > maxUpdateNorm
    ? rejection("norm-too-large", { expected: `an update of length ${maxUpdateNorm} at most`, got: norm })
    : undefined;
}

/** Looks at what a client wants to count for. */
export function checkNumSamples(numSamples: number, { maxNumSamples }: UpdateLimits): Rejection | undefined {
  const isCount = Number.isSafeInteger(numSamples) && numSamples >= 1 && numSamples <= maxNumSamples;
  return isCount
    ? undefined
    : rejection("wrong-weight", {
        expected: `a whole number of samples from 1 to ${maxNumSamples}`,
        got: numSamples,
      });
}
