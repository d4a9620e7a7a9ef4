import type { FederationPlan } from "../wire/federation.ts";
import { toHalves } from "./half.ts";
import { largest } from "./largest.ts";

/** What the encoding of a plan needs to know. */
export type CodecPlan = Pick<FederationPlan, "encoding" | "topkShare" | "clipNorm">;

/** Numbers as they travel, and what of them does not. */
export interface EncodedPayload {
  readonly payload: Uint8Array;
  readonly scale?: number;
  readonly entries?: number;
  /**
   * What the encoding left out, without what clipping did; none of f32 and f16, which leave out next to
   * nothing.
   */
  readonly residual?: Float32Array;
}

/** int8: 128 times a scale is a float32 still. */
const MAX_SCALE = (2 - 2 ** -23) * 2 ** 120;
const MIN_FLOAT = 2 ** -149;
/** More than rounding to float32 can lengthen a vector by. */
const JUST_BELOW = 1 - 2 ** -20;

/**
 * Encodes finite numbers. What is encoded is, as a vector, no longer than the plan's `clipNorm`; f32 must
 * come so.
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
 * Rounding to halves may lengthen a vector, the more the smaller its numbers are: then they are made shorter
 * first.
 */
function halvesWithin(target: Float32Array, limit: number): Uint16Array {
  let halves = toHalves(target);
  for (let shrink = 1 - 2 ** -10; halfNorm(halves, limit) > limit; shrink /= 2)
    halves = toHalves(target.map((value) => value * shrink));
  return halves;
}

/**
 * The length of a vector of halves: the squares of whole mantissas add up exactly, so each exponent has a sum
 * of its own.
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
 * One scale for all, to the nearest step: with the residual carried on, nearest is as unbiased over the
 * rounds as drawing would be, with half of its error in each.
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
  // A smaller scale shortens the vector: it had a residual in it, or rounding up many small numbers made it
  // longer.
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
  // Of a vector with fewer numbers than that, the zeros need not travel.
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
