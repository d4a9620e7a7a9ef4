/** An update's message as it comes in; see {@link createUploadBuffer}. */
export interface UploadBuffer {
  /** Bytes of the whole message. */
  readonly total: number;
  readonly received: number;
  /** What is here so far. A view of kernel memory: good until something is allocated there. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Adds a piece. False, and nothing is added, when it is longer than what is missing. */
  write(piece: Uint8Array): boolean;
}

/**
 * A message that is written straight to where it will be read: memory that was there before, and is used again after.
 *
 * @param memory asked for anew each time: it moves when kernel memory grows.
 */
export function createUploadBuffer({ memory, total }: { readonly memory: () => Uint8Array<ArrayBuffer>; readonly total: number }): UploadBuffer {
  let received = 0;
  return {
    total,
    get received() {
      return received;
    },
    get bytes() {
      return memory().subarray(0, received);
    },
    write(piece) {
      if (piece.length > total - received) return false;
      memory().set(piece, received);
      received += piece.length;
      return true;
    },
  };
}
