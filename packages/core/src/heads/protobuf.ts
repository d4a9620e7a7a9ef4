// Protobuf, written by hand: all that an ONNX file takes. Pieces are chunks that are joined once, so that
// megabytes of weights are copied once. Source: protobuf.dev/programming-guides/encoding.

/** A piece of a message. */
export type Chunks = readonly Uint8Array[];

/** A field of an integer from 0 to 2^53 - 1. */
export function integer(field: number, value: number): Chunks {
  return [Uint8Array.from([...varint(8 * field), ...varint(value)])];
}

/** A field of bytes, or of a message: chunks are its content. */
export function bytes(field: number, content: Chunks): Chunks {
  const length = content.reduce((sum, chunk) => sum + chunk.length, 0);
  return [Uint8Array.from([...varint(8 * field + 2), ...varint(length)]), ...content];
}

/** A field of text. */
export function text(field: number, value: string): Chunks {
  return bytes(field, [new TextEncoder().encode(value)]);
}

/** Chunks in one piece. */
export function join(chunks: Chunks): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** Seven bits a byte, the lowest first. Divided, not shifted: shifts end at 32 bits. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
