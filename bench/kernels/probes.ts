import { readFile } from "node:fs/promises";

interface ProbeExports {
  readonly memory: WebAssembly.Memory;
  alloc(bytes: number): number;
  free(address: number): void;
  read_only(address: number, vectors: number): number;
  mul_add_peak(iterations: number, factor: number, summand: number): number;
}

/** Operations per iteration of `mul_add_peak`: `FLOPS_PER_ITERATION` in `rust/src/probes.rs`. */
const PEAK_OPERATIONS = 96;

/** Probes of this machine's limits with the instructions that our kernels may use. */
export interface Probes {
  /** Allocates memory for {@link Probes.readOnly}. */
  reserve(bytes: number): void;
  /** Reads this many of the allocated bytes, with almost no other work. */
  readOnly(bytes: number): void;
  /** Runs this many f32 operations, products and sums, on registers alone. */
  mulAddPeak(operations: number): void;
}

/** Loads the probes in a separate instance. */
export async function loadProbes(): Promise<Probes> {
  const { instance } = await WebAssembly.instantiate(
    new Uint8Array(await readFile(new URL("probes.wasm", import.meta.url))),
  );
  const { memory, alloc, free, read_only, mul_add_peak } = instance.exports as unknown as ProbeExports;
  let block = { address: 0, bytes: 0 };
  return {
    reserve(bytes) {
      if (bytes <= block.bytes) return;
      if (block.address !== 0) free(block.address);
      block = { address: alloc(bytes) >>> 0, bytes };
      // Touch the memory once, because the first access of a page takes system time.
      new Uint8Array(memory.buffer, block.address, bytes).fill(1);
    },
    readOnly: (bytes) => void read_only(block.address, bytes / 16),
    mulAddPeak: (operations) => void mul_add_peak(operations / PEAK_OPERATIONS, 0.5, 1),
  };
}
