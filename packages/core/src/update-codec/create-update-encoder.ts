import { describeValue } from "../errors.ts";
import type { UpdateHead } from "../wire/federation.ts";
import { writeUpdateMessage } from "../wire/update-message.ts";
import { encodePayload, type CodecPlan } from "./encode-payload.ts";

// Error feedback: what a lossy encoding omits from an update is added to the next one. Sources: Seide et al.,
// "1-Bit Stochastic Gradient Descent", 2014; Karimireddy et al., "Error Feedback Fixes SignSGD", 2019.
//
//   target = clip(update) + residual; sent = clip(encode(target)); residual = target - encode(target), once
//   sent is accepted
//
// 1. The sent update is clipped again, because the aggregator measures its norm; the residual itself may be
//    longer.
// 2. What clipping removes is lost. Otherwise the residual of a client that is always clipped would grow
//    without bound.
// 3. The residual changes only when an update is accepted: a rejected update has no effect.

/** Metadata of an update. */
export type UpdateFacts = Pick<UpdateHead, "round" | "modelVersion" | "numSamples" | "metrics">;

/** An encoded update that is ready to upload. */
export interface EncodedUpdate {
  /** See `writeUpdateMessage`. To retry, send the same bytes again. */
  readonly message: Uint8Array<ArrayBuffer>;
  /**
   * Marks the update as accepted by the aggregator: what its encoding omitted is added to the next update.
   * Calls may be late and in any order; a second call has no effect.
   */
  commit(): void;
}

/** Encodes a client's updates as messages, with the encoding of its federation. */
export interface UpdateEncoder {
  readonly length: number;
  /**
   * Encodes an update.
   * @throws {TypeError} If `change` is not a Float32Array.
   * @throws {RangeError} If `change` has another length or contains NaN or an infinity; the encoder is
   * unchanged.
   * @throws {WireError} If `facts` do not fit an update's head.
   */
  encode(change: Float32Array, facts: UpdateFacts): EncodedUpdate;
  /**
   * Returns a copy of what committed updates omitted, for a device that restarts; `undefined` if there is
   * nothing.
   */
  state(): Float32Array | undefined;
  /**
   * Resumes from the result of `state()`. Updates that were encoded earlier can no longer be committed.
   * @throws {TypeError} If `state` is not a Float32Array.
   * @throws {RangeError} If `state` has another length or numbers that are not finite.
   */
  restore(state: Float32Array | undefined): void;
}

/** Largest finite float32. */
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;
/** Factor that compensates for rounding to float32 in a vector that was scaled down. */
const JUST_BELOW = 1 - 2 ** -20;
/** Minimum `clipNorm`. Below it, the rounding of float32 would matter. */
const MIN_NORM = 1e-30;

/**
 * Creates an encoder for one client of a federation. It holds no kernel memory, so it needs no disposal.
 * @throws {RangeError} If the plan is invalid.
 */
export function createUpdateEncoder({
  plan,
  length,
}: {
  readonly plan: CodecPlan;
  readonly length: number;
}): UpdateEncoder {
  const { encoding, topkShare, clipNorm } = checkPlan(plan);
  // These arrays are never modified after they are set, so that an update can keep the array it started from.
  let residual: Float32Array | undefined;
  let life = {};

  return {
    length,
    encode(change, { round, modelVersion, numSamples, metrics }) {
      const target = targetOf(checkVector(change, { action: "encode an update", length }), {
        residual,
        clipNorm,
      });
      const {
        payload,
        scale,
        entries,
        residual: left,
      } = encodePayload(target, {
        encoding,
        topkShare,
        clipNorm,
      });
      const message = writeUpdateMessage({
        head: {
          round,
          modelVersion,
          encoding,
          length,
          numSamples,
          scale,
          entries,
          ...(metrics && { metrics: finiteOf(metrics) }),
        },
        payload,
      });
      const start = residual;
      let mine: object | undefined = life;
      return {
        message,
        commit() {
          if (mine === life && left)
            residual = residual === start ? left : moved(residual, { from: start, to: left });
          mine = undefined;
        },
      };
    },
    state: () => residual?.slice(),
    restore(state) {
      residual = state && checkVector(state, { action: "restore an update encoder", length }).slice();
      life = {};
    },
  };
}

function targetOf(
  change: Float32Array,
  {
    residual,
    clipNorm = Infinity,
  }: { readonly residual: Float32Array | undefined; readonly clipNorm: number | undefined },
): Float32Array {
  let squares = 0;
  for (let i = 0; i < change.length; i++) squares += change[i]! ** 2;
  const norm = Math.sqrt(squares);
  const factor = norm > clipNorm ? (clipNorm / norm) * JUST_BELOW : 1;
  if (!residual && factor === 1) return change;
  const target = new Float32Array(change.length);
  for (let i = 0; i < change.length; i++)
    target[i] = within(change[i]! * factor + (residual ? residual[i]! : 0));
  return target;
}

const within = (value: number): number => Math.max(-MAX_FLOAT, Math.min(MAX_FLOAT, value));

/**
 * Returns the residual after a commit if another update was committed in between: adds this update's share,
 * `to - from`.
 */
function moved(
  residual: Float32Array | undefined,
  { from, to }: { readonly from: Float32Array | undefined; readonly to: Float32Array },
): Float32Array {
  return to.map((value, i) => within(value + (residual ? residual[i]! : 0) - (from ? from[i]! : 0)));
}

/** Drops metrics that are not finite. */
function finiteOf({
  loss,
  accuracy,
}: NonNullable<UpdateHead["metrics"]>): NonNullable<UpdateHead["metrics"]> {
  return {
    ...(Number.isFinite(loss) && { loss }),
    ...(Number.isFinite(accuracy) && { accuracy }),
  } as NonNullable<UpdateHead["metrics"]>;
}

function checkVector(
  vector: Float32Array,
  { action, length }: { readonly action: string; readonly length: number },
): Float32Array {
  if (!(vector instanceof Float32Array))
    throw new TypeError(`${action}: expected a Float32Array; got ${describeValue(vector)}`);
  if (vector.length !== length)
    throw new RangeError(`${action}: expected ${length} numbers; got ${vector.length}`);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(vector[i]))
      throw new RangeError(`${action}: expected finite numbers; got ${vector[i]} at ${i}`);
  }
  return vector;
}

function checkPlan(plan: CodecPlan): CodecPlan {
  const { encoding, topkShare, clipNorm } = plan;
  if (encoding === "topk" && !(topkShare !== undefined && topkShare > 0 && topkShare <= 1))
    throw new RangeError(
      `make an update encoder: expected a topkShare above 0, at most 1; got ${describeValue(topkShare)}`,
    );
  if (clipNorm !== undefined && !(clipNorm >= MIN_NORM && clipNorm < Infinity))
    throw new RangeError(
      `make an update encoder: expected a clipNorm from ${MIN_NORM} up; got ${describeValue(clipNorm)}`,
    );
  return plan;
}
