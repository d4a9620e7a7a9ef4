/** An update's message as it comes in; see {@link createUploadBuffer}. */
export interface UploadBuffer {
  /** Bytes of the whole message. */
  readonly total: number;
  readonly received: number;
  /** What is here so far. A view of kernel memory: good until something is allocated there. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** CRC-32 of what is here of the payload; undefined while the head is not. */
  readonly crc32: number | undefined;
  /** Adds a piece. False, and nothing is added, when it is longer than what is missing. */
  write(piece: Uint8Array): boolean;
}

const LENGTH_BYTES = 4;

/**
 * A message that is written straight to where it will be read: memory that was there before, and is used again after. Its
 * sum is made piece by piece, while each is warm in the cache.
 *
 * @param memory asked for anew each time: it moves when kernel memory grows.
 */
export function createUploadBuffer({ memory, total, crc32 }: { readonly memory: () => Uint8Array<ArrayBuffer>; readonly total: number; readonly crc32: (bytes: Uint8Array, before?: number) => number }): UploadBuffer {
  let received = 0;
  let summed: { readonly at: number; readonly crc32: number } | undefined;

  return {
    total,
    get received() {
      return received;
    },
    get bytes() {
      return memory().subarray(0, received);
    },
    get crc32() {
      return summed?.crc32;
    },
    write(piece) {
      if (piece.length > total - received) return false;
      const bytes = memory();
      bytes.set(piece, received);
      received += piece.length;
      if (!summed && received >= LENGTH_BYTES) {
        const payload = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
        if (received >= payload) summed = { at: payload, crc32: 0 };
      }
      if (summed) summed = { at: received, crc32: crc32(bytes.subarray(summed.at, received), summed.crc32) };
      return true;
    },
  };
}
