import type { FloatStore } from "../resident-floats.ts";
import type { PerceptionMemory } from "./perception-exports.ts";

/** Floats in the module's memory. */
export function wasmFloatStore(memory: PerceptionMemory, length: number): FloatStore {
  const address = memory.allocate(4 * length);
  memory.floats(address, length).fill(0);
  return { values: () => memory.floats(address, length), dispose: () => memory.free(address) };
}
