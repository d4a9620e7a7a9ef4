import { integer } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";

/** What {@link VectorKernels.updateRoom} takes. */
export interface UpdateBufferOptions {
  readonly bytes: number;
}

/** Bytes in kernel memory, where an update is received. */
export interface UpdateBuffer {
  /** All of them, at an address that is a multiple of 16. Good until memory grows, so ask anew for each use. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** Gives the memory back. A second call does nothing; `bytes` after it throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Throws TypeError or RangeError. */
export function checkUpdateBuffer(options: UpdateBufferOptions): number {
  return integer(
    { action: "updateRoom", name: "bytes" },
    { value: options.bytes, least: 1, most: 0x7fffffff },
  );
}

/** Where a backend keeps the bytes. */
export interface BufferStore {
  bytes(): Uint8Array;
  dispose(): void;
}

/** The public room over a backend's store. */
export function createUpdateBuffer({
  store,
  assertOpen,
}: {
  readonly store: BufferStore;
  readonly assertOpen: (action: string) => unknown;
}): UpdateBuffer {
  const { using, dispose } = lifetime({ what: "an update's room" }, { store, assertOpen });
  return {
    bytes: () => using("bytes").bytes() as Uint8Array<ArrayBuffer>,
    dispose,
    [Symbol.dispose]: dispose,
  };
}
