import { loadVectorKernels, type Gallery } from "@sedna-js/wasm-kernels";
import { unitRows } from "./samples.ts";

/** Parameters of the matching in the page. */
export interface RelaxedParams {
  readonly backend: "wasm" | "wasm-relaxed";
  readonly count: number;
  readonly dimensions: number;
  readonly queries: number;
  readonly k: number;
}

/** State between `prepare` and `run`. The page has one contestant. */
const made: { gallery?: Gallery; queries?: Float32Array; k?: number } = {};

/** Creates the gallery and the queries. */
export async function prepare({ backend, count, dimensions, queries, k }: RelaxedParams): Promise<void> {
  const kernels = await loadVectorKernels({ backend });
  made.gallery = kernels.gallery({ dimensions, precision: "int8" });
  made.gallery.set(
    Array.from({ length: count }, (_, i) => i),
    unitRows({ count, dimensions, seed: 1 }),
  );
  made.queries = unitRows({ count: queries, dimensions, seed: 2 });
  made.k = k;
}

/** Matches all queries `repeats` times and returns the time in ms. */
export function run(repeats: number): number {
  const { gallery, queries, k } = made as Required<typeof made>;
  const started = performance.now();
  for (let i = 0; i < repeats; i++) gallery.match({ queries, k });
  return performance.now() - started;
}
