import { fromHalves, type ModelUpdate } from "@sedna-js/wasm-kernels";
import { describeValue, WireError } from "../errors.ts";
import type { UpdateHead } from "../wire/federation.ts";
import { payloadBytes } from "../wire/update-message.ts";

/**
 * Returns a payload in the kernels' format: views of it if it is aligned, else copies. Numbers are
 * little-endian, as in WebAssembly's memory and on every machine that runs it well. The kernels check that
 * numbers are finite and indices ascend.
 * @throws {WireError} If the payload's length does not match the head.
 */
export function modelUpdate(
  head: Pick<UpdateHead, "encoding" | "length" | "entries" | "scale">,
  payload: Uint8Array,
): ModelUpdate {
  if (payload.length !== payloadBytes(head))
    throw new WireError(
      `read an update's payload: expected ${payloadBytes(head)} bytes; got ${payload.length}`,
    );
  const { encoding, length, entries = 0, scale } = head;
  switch (encoding) {
    case "f32":
      return { encoding, values: new Float32Array(...aligned(payload, 4), length) };
    case "f16":
      return { encoding, values: new Uint16Array(...aligned(payload, 2), length) };
    case "int8":
      if (scale === undefined)
        throw new WireError("read an update's payload: expected a scale of int8; got none");
      return { encoding, values: new Int8Array(payload.buffer, payload.byteOffset, length), scale };
    case "topk":
      return {
        encoding,
        indices: new Uint32Array(...aligned(payload.subarray(0, 4 * entries), 4), entries),
        values: new Float32Array(...aligned(payload.subarray(4 * entries), 4), entries),
      };
    default:
      return encoding satisfies never;
  }
}

/**
 * Decodes an update to its numbers. Slow and simple, for tests and tools.
 * @throws {RangeError} If the update does not have `length` numbers.
 */
export function decodeUpdate(update: ModelUpdate, length: number): Float32Array {
  const { values } = update;
  if (update.encoding === "topk") {
    const decoded = new Float32Array(length);
    for (const [i, index] of update.indices.entries()) {
      if (index >= length)
        throw new RangeError(`decode an update: expected indices below ${length}; got ${index}`);
      decoded[index] = values[i]!;
    }
    return decoded;
  }
  if (values.length !== length)
    throw new RangeError(`decode an update: expected ${length} numbers; got ${describeValue(values)}`);
  if (update.encoding === "f16") return fromHalves(update.values);
  // The kernels round the scale to float32 first, then multiply in float32.
  const scale = update.encoding === "int8" ? Math.fround(update.scale) : 1;
  return Float32Array.from(values, (value) => value * scale);
}

/** Returns a buffer and an aligned offset for a typed array: the bytes themselves, or a copy. */
function aligned(bytes: Uint8Array, size: number): [buffer: ArrayBufferLike, offset: number] {
  if (bytes.byteOffset % size === 0) return [bytes.buffer, bytes.byteOffset];
  return [new Uint8Array(bytes).buffer, 0];
}
