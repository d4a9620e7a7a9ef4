/** Where an update is received. */
export interface UploadMemory {
  /** All of it. Memory of the kernels moves when it grows: ask anew for each use. */
  bytes(): Uint8Array<ArrayBuffer>;
}

/** An update's message as it comes in; see {@link createUploadBuffer}. */
export interface UploadBuffer {
  /** Bytes of the whole message. */
  readonly total: number;
  readonly received: number;
  /** What is here so far; a view, good until memory grows. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Adds a piece. False, and nothing is added, when it is longer than what is missing. */
  write(piece: Uint8Array): boolean;
}

/** A message that is written straight to where it will be read: memory that was there before, and is used again after. */
export function createUploadBuffer({ memory, total }: { readonly memory: UploadMemory; readonly total: number }): UploadBuffer {
  let received = 0;
  return {
    total,
    get received() {
      return received;
    },
    get bytes() {
      return memory.bytes().subarray(0, received);
    },
    write(piece) {
      if (piece.length > total - received) return false;
      memory.bytes().set(piece, received);
      received += piece.length;
      return true;
    },
  };
}
