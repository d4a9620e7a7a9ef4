import type { ModelUpdate } from "@sedna-js/wasm-kernels";
import { describeValue, WireError } from "../errors.ts";
import type { UpdateHead } from "../wire/federation.ts";
import { payloadBytes } from "../wire/update-message.ts";
import { fromHalf } from "./half.ts";

/**
 * A payload as the kernels take it: views of it where it is aligned, else copies. Numbers are little-endian,
 * as WebAssembly's memory is and every machine that runs it well. Whether they are finite and indices ascend,
 * the kernels see.
 * @throws {WireError} on a payload of another length than the head promises.
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
 * The numbers of an update, one by one: slow and obvious, for tests and tools. @throws {RangeError} on one
 * that is not of `length` numbers.
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
  // The kernels round the scale first, then multiply in float32.
  const scale = update.encoding === "int8" ? Math.fround(update.scale) : 1;
  return Float32Array.from(values, update.encoding === "f16" ? fromHalf : (value) => value * scale);
}

/** Where a typed array can begin: in the bytes themselves, or in a copy. */
function aligned(bytes: Uint8Array, size: number): [buffer: ArrayBufferLike, offset: number] {
  if (bytes.byteOffset % size === 0) return [bytes.buffer, bytes.byteOffset];
  return [new Uint8Array(bytes).buffer, 0];
}
