import type { KernelMemory, ModuleExports } from "./kernel-memory.ts";

/** The exports of the modules `vectors` and `vectors-relaxed`, by hand: see `rust/src/abi/`. Every address is a byte offset in `memory`. */
export interface VectorExports extends ModuleExports {}

/** The memory of an instance of `vectors` or `vectors-relaxed`. */
export type VectorMemory = KernelMemory<VectorExports>;
