import type { FederationPlan } from "../wire/federation.ts";
import { toHalves } from "./half.ts";
import { largest } from "./largest.ts";

/** Settings of a plan that determine the encoding. */
export type CodecPlan = Pick<FederationPlan, "encoding" | "topkShare" | "clipNorm">;

/** Encoded numbers, and the residual. */
export interface EncodedPayload {
  readonly payload: Uint8Array;
  readonly scale?: number;
  readonly entries?: number;
  /**
   * What the encoding omitted, without what clipping removed. `undefined` for f32 and f16, which omit almost
   * nothing.
   */
  readonly residual?: Float32Array;
}

/** Maximum int8 scale: 128 times the scale is still a finite float32. */
const MAX_SCALE = (2 - 2 ** -23) * 2 ** 120;
const MIN_FLOAT = 2 ** -149;
/** Factor that compensates for rounding to float32, which may lengthen a vector. */
const JUST_BELOW = 1 - 2 ** -20;

/**
 * Encodes finite numbers. The norm of the encoded vector is at most the plan's `clipNorm`; for f32, the
 * caller must clip `target`.
 */
export function encodePayload(
  target: Float32Array,
  { encoding, topkShare = 1, clipNorm = Infinity }: CodecPlan,
): EncodedPayload {
  switch (encoding) {
    case "f32":
      return { payload: bytesOf(target.slice()) };
    case "f16":
      return { payload: bytesOf(halvesWithin(target, clipNorm)) };
    case "int8":
      return encodeInt8(target, clipNorm);
    case "topk":
      return encodeTopk(target, {
        count: Math.max(1, Math.ceil(topkShare * target.length)),
        limit: clipNorm,
      });
    default:
      return encoding satisfies never;
  }
}

/**
 * Converts numbers to halves within a norm. Rounding may lengthen the vector, more so for smaller numbers; in
 * that case the numbers are scaled down first.
 */
function halvesWithin(target: Float32Array, limit: number): Uint16Array {
  let halves = toHalves(target);
  for (let shrink = 1 - 2 ** -10; halfNorm(halves, limit) > limit; shrink /= 2)
    halves = toHalves(target.map((value) => value * shrink));
  return halves;
}

/**
 * Returns the norm of a vector of halves. The squares of integer mantissas add up exactly, so each exponent
 * has its own sum.
 */
function halfNorm(halves: Uint16Array, limit: number): number {
  if (limit === Infinity) return 0;
  const squares = new Float64Array(32);
  for (let i = 0; i < halves.length; i++) {
    const exponent = (halves[i]! >> 10) & 31;
    const mantissa = (halves[i]! & 0x3ff) | (exponent === 0 ? 0 : 0x400);
    squares[exponent]! += mantissa * mantissa;
  }
  return Math.sqrt(
    squares.reduce((sum, square, exponent) => sum + square * 4 ** (Math.max(exponent, 1) - 25), 0),
  );
}

/**
 * Quantizes with one scale for all numbers, to the nearest step. With the residual carried over, nearest
 * rounding is as unbiased over the rounds as stochastic rounding, with half of its error per round.
 */
function encodeInt8(target: Float32Array, limit: number): EncodedPayload {
  let most = 0;
  for (let i = 0; i < target.length; i++) most = Math.max(most, Math.abs(target[i]!));
  const steps = new Int8Array(target.length);
  if (most === 0) return { payload: bytesOf(steps), scale: 0, residual: new Float32Array(target.length) };
  const unit = Math.min(MAX_SCALE, Math.max(MIN_FLOAT, Math.fround(most / 127)));
  let squares = 0;
  for (let i = 0; i < target.length; i++) {
    const step = Math.max(-127, Math.min(127, Math.round(target[i]! / unit)));
    steps[i] = step;
    squares += step * step;
  }
  // A smaller scale shortens a vector that a residual, or rounding up many small numbers, made too long.
  const scale =
    unit * Math.sqrt(squares) <= limit ? unit : Math.fround((limit / Math.sqrt(squares)) * JUST_BELOW);
  const residual = new Float32Array(target.length);
  for (let i = 0; i < target.length; i++) residual[i] = target[i]! - steps[i]! * unit;
  return { payload: bytesOf(steps), scale, residual };
}

function encodeTopk(
  target: Float32Array,
  { count, limit }: { readonly count: number; readonly limit: number },
): EncodedPayload {
  // Zeros need not be sent if fewer than `count` numbers are nonzero.
  const places = largest(target, count).filter((place) => target[place] !== 0);
  const payload = new Uint8Array(8 * places.length);
  new Uint32Array(payload.buffer, 0, places.length).set(places);
  const values = new Float32Array(payload.buffer, 4 * places.length, places.length);
  const residual = target.slice();
  let squares = 0;
  for (let i = 0; i < places.length; i++) {
    const value = target[places[i]!]!;
    values[i] = value;
    squares += value * value;
    residual[places[i]!] = 0;
  }
  const norm = Math.sqrt(squares);
  if (norm > limit) for (let i = 0; i < values.length; i++) values[i]! *= (limit / norm) * JUST_BELOW;
  return { payload, entries: places.length, residual };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array | Int8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
