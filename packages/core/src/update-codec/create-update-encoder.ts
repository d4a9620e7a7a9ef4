import { describeValue } from "../errors.ts";
import type { UpdateHead } from "../wire/federation.ts";
import { writeUpdateMessage } from "../wire/update-message.ts";
import { encodePayload, type CodecPlan } from "./encode-payload.ts";

// What a lossy encoding leaves out of an update, the next one carries: error feedback. Sources: Seide et al.,
// "1-Bit Stochastic Gradient Descent", 2014; Karimireddy et al., "Error Feedback Fixes SignSGD", 2019.
//
//   target = clip(change) + residual; sent = clip(encode(target)); residual = target - encode(target), once
//   sent is counted
//
// 1. What is sent is clipped again, for it is what the aggregator measures; the residual itself may be
//    longer.
// 2. What clipping cut off is gone. Were it carried, a client that is always clipped would owe ever more.
// 3. Nothing is kept before it is counted: an update that no one took has taken nothing with it.

/** What is said of an update beside its numbers. */
export type UpdateFacts = Pick<UpdateHead, "round" | "modelVersion" | "numSamples" | "metrics">;

/** An update that is ready to travel. */
export interface EncodedUpdate {
  /** See `writeUpdateMessage`. To send it again is to send these bytes again. */
  readonly message: Uint8Array<ArrayBuffer>;
  /**
   * Says that the aggregator has counted it: what it left out goes into the next one. Late and in any order;
   * a second call does nothing.
   */
  commit(): void;
}

/** Turns a client's changes into messages, by its federation's encoding. */
export interface UpdateEncoder {
  readonly length: number;
  /**
   * @throws {TypeError} on a change that is no Float32Array.
   * @throws {RangeError} on one of another length, or with a NaN or an infinity in it; nothing has changed
   * then.
   * @throws {WireError} on facts that no head can carry.
   */
  encode(change: Float32Array, facts: UpdateFacts): EncodedUpdate;
  /**
   * A copy of what committed updates left out, for a device that starts again; undefined where that is
   * nothing.
   */
  state(): Float32Array | undefined;
  /**
   * Goes on from what `state()` gave. Updates that were encoded before commit nothing any more.
   * @throws {TypeError} or {RangeError} on what is no state of this length.
   */
  restore(state: Float32Array | undefined): void;
}

/** Largest finite float32. */
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;
/** What rounding to float32 may add to a vector that was scaled down. */
const JUST_BELOW = 1 - 2 ** -20;
/** Below this, the rounding of a float32 would count. */
const MIN_NORM = 1e-30;

/**
 * An encoder for one client of a federation, without memory of its own in a kernel: it needs no disposal.
 * @throws {RangeError} on a plan that no update can follow.
 */
export function createUpdateEncoder({
  plan,
  length,
}: {
  readonly plan: CodecPlan;
  readonly length: number;
}): UpdateEncoder {
  const { encoding, topkShare, clipNorm } = checkPlan(plan);
  // The arrays are never written after they were set here, so that an update can keep the one it started
  // from.
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
 * Where another update was committed in between, both have left something out: this one's share is `to -
 * from`.
 */
function moved(
  residual: Float32Array | undefined,
  { from, to }: { readonly from: Float32Array | undefined; readonly to: Float32Array },
): Float32Array {
  return to.map((value, i) => within(value + (residual ? residual[i]! : 0) - (from ? from[i]! : 0)));
}

/** Training may tell a loss that is no number; then it is not told. */
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
