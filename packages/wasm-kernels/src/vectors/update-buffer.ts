import { integer } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";

/** Size for {@link VectorKernels.updateBuffer}. */
export interface UpdateBufferOptions {
  readonly bytes: number;
}

/** Bytes in kernel memory into which an update is received. */
export interface UpdateBuffer {
  /**
   * Returns all bytes, at an address that is a multiple of 16. The view is valid until memory grows, so call
   * it for each use.
   */
  bytes(): Uint8Array<ArrayBuffer>;
  /** Releases the memory. A second call has no effect; a later call of `bytes` throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Validates the options of {@link VectorKernels.updateBuffer}.
 *
 * @throws {TypeError} If `bytes` is not a number.
 * @throws {RangeError} If `bytes` is out of range.
 */
export function checkUpdateBuffer(options: UpdateBufferOptions): number {
  return integer(
    { action: "updateBuffer", name: "bytes" },
    { value: options.bytes, least: 1, most: 0x7fffffff },
  );
}

/** Backend storage of an update buffer. */
export interface BufferStore {
  bytes(): Uint8Array;
  dispose(): void;
}

/** Creates the public update buffer over a backend's store. */
export function createUpdateBuffer({
  store,
  assertOpen,
}: {
  readonly store: BufferStore;
  readonly assertOpen: (action: string) => unknown;
}): UpdateBuffer {
  const { using, dispose } = lifetime({ what: "an update buffer" }, { store, assertOpen });
  return {
    bytes: () => using("bytes").bytes() as Uint8Array<ArrayBuffer>,
    dispose,
    [Symbol.dispose]: dispose,
  };
}
