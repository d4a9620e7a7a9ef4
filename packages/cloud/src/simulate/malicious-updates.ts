import type { EncodedUpdate, UpdateFacts } from "@sedna-js/core/update-codec";
import { writeUpdateMessage } from "@sedna-js/core/wire";
import type { UpdateEncoding } from "@sedna-js/wasm-kernels";

/** An honest update, and the context in which a malicious client falsifies it. */
export interface MaliciousContext {
  readonly change: Float32Array;
  readonly facts: UpdateFacts;
  /** Encodes an update into an honest message. */
  /** Update encoding of the plan. */
  readonly encoding: UpdateEncoding;
  readonly encode: (change: Float32Array, facts: UpdateFacts) => EncodedUpdate;
  /** The client's previous message. */
  readonly last: Uint8Array<ArrayBuffer> | undefined;
  readonly maxBytes: number;
}

type Attack = (context: MaliciousContext) => Uint8Array<ArrayBuffer>;

const raw = (change: Float32Array, facts: UpdateFacts): Uint8Array<ArrayBuffer> =>
  writeUpdateMessage({
    head: { ...facts, encoding: "f32", length: change.length },
    payload: new Uint8Array(change.buffer, change.byteOffset, change.byteLength),
  });

/**
 * Returns the message of a scaled update. With f32 the message bypasses the encoder, which would clip the
 * update.
 */
const scaled = (
  { change, facts, encode, encoding }: MaliciousContext,
  factor: number,
): Uint8Array<ArrayBuffer> => {
  const other = change.map((value) => factor * value);
  return encoding === "f32" ? raw(other, facts) : encode(other, facts).message;
};

/**
 * Attacks by name. The first two send well-formed updates, which the aggregation rule must handle; the
 * updates of the others are rejected.
 */
export const maliciousUpdates = {
  /** Moves in the opposite direction of training. */
  "sign flip": (context) => scaled(context, -1),
  /** Moves ten times as far in the opposite direction of training. */
  scaling: (context) => scaled(context, -10),
  nan: ({ change, facts }) => raw(change.with(0, Number.NaN), facts),
  "wrong shape": ({ change, facts }) => raw(Float32Array.from([...change, 0]), facts),
  "num_samples of 1e12": ({ change, facts, encode }) =>
    encode(change, { ...facts, numSamples: 1e12 }).message,
  replay: ({ change, facts, encode, last }) => last ?? encode(change, facts).message,
  oversize: ({ maxBytes }) => new Uint8Array(maxBytes + 1),
} as const satisfies Record<string, Attack>;
