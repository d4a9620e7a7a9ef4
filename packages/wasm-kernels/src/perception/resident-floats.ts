import { integer } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";

/** Floats in kernel memory. Scores that are written there and passed to a kernel are not copied. */
export interface ResidentFloats {
  readonly length: number;
  /** Returns the floats. The view is valid until memory grows, so call it for each use. */
  values(): Float32Array;
  /** Releases the memory. A second call has no effect; a later call of `values` throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Validates the number of resident floats.
 *
 * @throws {TypeError} If `length` is not a number.
 * @throws {RangeError} If `length` is out of range.
 */
export function checkResident(length: unknown): number {
  return integer({ action: "resident", name: "length" }, { value: length, least: 1, most: 0x3fffffff });
}

/** Backend storage of floats. */
export interface FloatStore {
  values(): Float32Array;
  dispose(): void;
}

/** Creates the public floats over a backend's store. */
export function createResidentFloats(
  length: number,
  { store, assertOpen }: { readonly store: FloatStore; readonly assertOpen: (action: string) => unknown },
): ResidentFloats {
  const { using, dispose } = lifetime(
    { what: "resident floats", disposed: "disposed ones" },
    { store, assertOpen },
  );
  return {
    length,
    values: () => using("values").values(),
    dispose,
    [Symbol.dispose]: dispose,
  };
}
