import type { FloatStore } from "../resident-floats.ts";

/** Floats in an ordinary array. */
export function referenceFloatStore(length: number): FloatStore {
  const values = new Float32Array(length);
  return { values: () => values, dispose: () => {} };
}
