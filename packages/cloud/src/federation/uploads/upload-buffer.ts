/** The message of an update while it arrives; see {@link createUploadBuffer}. */
export interface UploadBuffer {
  /** Size of the whole message, in bytes. */
  readonly total: number;
  readonly received: number;
  /** Returns the bytes received so far: a view of kernel memory, valid until the next allocation there. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Appends a chunk. Returns false, and appends nothing, if the chunk is longer than the missing part. */
  write(piece: Uint8Array): boolean;
}

/**
 * Creates a buffer that writes a message to the memory from which it is read. The memory exists before, and
 * is reused after.
 *
 * @param memory Returns the current view. Called again when kernel memory has grown and the former view is
 * detached.
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
  /** A view whose memory has moved has length 0. */
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
