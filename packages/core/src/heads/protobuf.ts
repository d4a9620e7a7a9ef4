// Minimal Protobuf writer: what an ONNX file needs. Messages are lists of chunks that are joined once, so
// that megabytes of weights are copied once. Source: protobuf.dev/programming-guides/encoding.

/** Chunks of a message. */
export type Chunks = readonly Uint8Array[];

/** Writes a field with an integer from 0 to 2^53 - 1. */
export function integer(field: number, value: number): Chunks {
  return [Uint8Array.from([...varint(8 * field), ...varint(value)])];
}

/** Writes a field of bytes or of a message; the chunks are its content. */
export function bytes(field: number, content: Chunks): Chunks {
  const length = content.reduce((sum, chunk) => sum + chunk.length, 0);
  return [Uint8Array.from([...varint(8 * field + 2), ...varint(length)]), ...content];
}

/** Writes a field of text. */
export function text(field: number, value: string): Chunks {
  return bytes(field, [new TextEncoder().encode(value)]);
}

/** Joins chunks into one array. */
export function join(chunks: Chunks): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/**
 * Writes seven bits per byte, lowest bits first. Divides instead of shifting: shifts are limited to 32 bits.
 */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
