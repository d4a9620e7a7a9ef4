import { integer } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";

/** Floats in the memory of the kernels: what is written there and passed to a miner isn't copied. */
export interface ResidentFloats {
  readonly length: number;
  /** The floats. Good until memory grows, so ask anew for each use. */
  values(): Float32Array;
  /** Gives the memory back. A second call does nothing; `values` after it throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Throws TypeError or RangeError. */
export function checkResident(length: unknown): number {
  return integer({ action: "resident", name: "length" }, { value: length, least: 1, most: 0x3fffffff });
}

/** Where a backend keeps floats. */
export interface FloatStore {
  values(): Float32Array;
  dispose(): void;
}

/** The public floats over a backend's store. */
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
