import { payloadBytes, readUpdateHead, WireError, type UpdateHead, type UpdateRefusal } from "@sedna-js/core";
import type { ModelUpdate, UpdateEncoding, VectorKernels } from "@sedna-js/wasm-kernels";
import type { UploadBuffer } from "./upload-buffer.ts";

/** What an update has to be like. */
export interface UpdateLimits {
  /** Parameters of the model. */
  readonly length: number;
  /** Undefined takes any. */
  readonly encoding: UpdateEncoding | undefined;
  /** topk: most numbers in a payload. */
  readonly entries?: number | undefined;
  readonly maxNumSamples: number;
  /** A longer update counts as if it were scaled down to this length. */
  readonly clipNorm?: number | undefined;
  /** A longer one is refused. */
  readonly refuseNorm?: number | undefined;
}

/** Why an update is not taken. */
export interface Refusal {
  readonly refused: UpdateRefusal;
  readonly error: string;
}

const refusal = (
  refused: UpdateRefusal,
  { expected, got }: { readonly expected: string; readonly got: unknown },
): Refusal => ({ refused, error: `take an update: expected ${expected}; got ${String(got)}` });

/**
 * Reads a whole message as far as its shape: length, digest, shape, and the round that it is for. The change is a view of the
 * buffer. It throws nothing.
 */
export function readChange(
  buffer: UploadBuffer,
  {
    round,
    limits,
    kernels,
  }: {
    readonly round: number;
    readonly limits: UpdateLimits;
    readonly kernels: Pick<VectorKernels, "checksum">;
  },
): { readonly head: UpdateHead; readonly headBytes: number; readonly change: ModelUpdate } | Refusal {
  let start: ReturnType<typeof readUpdateHead>;
  try {
    start = readUpdateHead(buffer.bytes);
  } catch (error) {
    if (error instanceof WireError) return { refused: "wrong-shape", error: error.message };
    throw error;
  }
  if (!start)
    return refusal("wrong-length", {
      expected: "a head",
      got: `${buffer.total} bytes that end before it does`,
    });
  const { head, headBytes } = start;
  if (head.round !== round)
    return refusal("wrong-round", {
      expected: `an update of round ${round}, as its address says`,
      got: head.round,
    });
  const payload = buffer.bytes.subarray(headBytes);
  if (payload.length !== payloadBytes(head))
    return refusal("wrong-length", {
      expected: `${payloadBytes(head)} bytes of payload, as its head says`,
      got: payload.length,
    });
  const sum = kernels.checksum(payload);
  if (sum !== head.checksum)
    return refusal("wrong-digest", { expected: `a payload of checksum ${head.checksum}`, got: sum });
  if (limits.encoding !== undefined && head.encoding !== limits.encoding)
    return refusal("wrong-shape", {
      expected: `the plan's encoding, ${limits.encoding}`,
      got: head.encoding,
    });
  if (head.length !== limits.length)
    return refusal("wrong-shape", { expected: `${limits.length} parameters`, got: head.length });
  // Asked for anew: kernel memory may have grown.
  const change = changeOf(head, buffer.bytes.subarray(headBytes));
  return checkEntries(change, limits) ?? { head, headBytes, change };
}

/** A payload as what the kernels take; a view. Payloads begin at a multiple of 8. */
export function changeOf(
  { encoding, length, entries = 0, scale = 0 }: UpdateHead,
  { buffer, byteOffset: at }: Uint8Array<ArrayBuffer>,
): ModelUpdate {
  switch (encoding) {
    case "f32":
      return { encoding, values: new Float32Array(buffer, at, length) };
    case "f16":
      return { encoding, values: new Uint16Array(buffer, at, length) };
    case "int8":
      return { encoding, values: new Int8Array(buffer, at, length), scale };
    case "topk":
      return {
        encoding,
        indices: new Uint32Array(buffer, at, entries),
        values: new Float32Array(buffer, at + 4 * entries, entries),
      };
    default:
      return encoding satisfies never;
  }
}

/** Looks at the shape of a change that came as one: its kind, its length, its indices. */
export function checkShape(change: ModelUpdate, limits: UpdateLimits): Refusal | undefined {
  if (change.encoding === "topk") return checkEntries(change, limits);
  return change.values.length === limits.length
    ? undefined
    : refusal("wrong-shape", { expected: `${limits.length} parameters`, got: change.values.length });
}

function checkEntries(change: ModelUpdate, limits: UpdateLimits): Refusal | undefined {
  if (change.encoding !== "topk") return undefined;
  const { indices } = change;
  if (indices.length > (limits.entries ?? limits.length))
    return refusal("wrong-shape", { expected: `at most ${limits.entries} entries`, got: indices.length });
  let before = -1;
  for (const index of indices) {
    if (index <= before || index >= limits.length)
      return refusal("wrong-shape", {
        expected: `indices that ascend, below ${limits.length}`,
        got: `${index} after ${before}`,
      });
    before = index;
  }
  return undefined;
}

/** Looks at the length of a change, which is not finite when one of its numbers is not. */
export function checkNorm(norm: number, { refuseNorm = Infinity }: UpdateLimits): Refusal | undefined {
  if (!Number.isFinite(norm))
    return refusal("not-finite", { expected: "finite numbers", got: "NaN or an infinity among them" });
  return norm > refuseNorm
    ? refusal("norm-too-large", { expected: `an update of length ${refuseNorm} at most`, got: norm })
    : undefined;
}

/** Looks at what a client wants to count for. */
export function checkNumSamples(numSamples: number, { maxNumSamples }: UpdateLimits): Refusal | undefined {
  const isCount = Number.isSafeInteger(numSamples) && numSamples >= 1 && numSamples <= maxNumSamples;
  return isCount
    ? undefined
    : refusal("wrong-weight", {
        expected: `a whole number of samples from 1 to ${maxNumSamples}`,
        got: numSamples,
      });
}
