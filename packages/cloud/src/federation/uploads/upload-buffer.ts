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
 * A message that is written straight to where it will be read: memory that was there before, and is used
 * again after.
 *
 * @param memory asked for anew each time: it moves when kernel memory grows.
 */
export function createUploadBuffer({
  memory,
  total,
}: {
  readonly memory: () => Uint8Array<ArrayBuffer>;
  readonly total: number;
}): UploadBuffer {
  let received = 0;
  let view = memory();
  /** Empty is what is left of a view when its memory has moved. */
  const current = (): Uint8Array<ArrayBuffer> => (view.length === 0 ? (view = memory()) : view);
  return {
    total,
    get received() {
      return received;
    },
    get bytes() {
      return current().subarray(0, received);
    },
    write(piece) {
      if (piece.length > total - received) return false;
      current().set(piece, received);
      received += piece.length;
      return true;
    },
  };
}
