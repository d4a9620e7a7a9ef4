import { loadPerceptionKernels, type PerceptionKernels } from "@sedna-js/wasm-kernels";

// The smallest contestant for a page. relaxed.test.ts runs it to test createBrowserContestant.

/** Number of images with four boxes to mine. */
export interface ExampleParams {
  readonly images: number;
}

const made: { kernels?: PerceptionKernels; scores?: Float32Array; offsets?: Uint32Array } = {};

/** Loads the kernels and creates the scores: .25 for every even image, .75 for the others. */
export async function prepare({ images }: ExampleParams): Promise<void> {
  made.kernels?.dispose();
  made.kernels = await loadPerceptionKernels({ backend: "wasm" });
  made.scores = Float32Array.from({ length: 4 * images }, (_, i) => ((i >> 2) % 2 ? 0.75 : 0.25));
  made.offsets = Uint32Array.from({ length: images + 1 }, (_, i) => 4 * i);
}

/**
 * Mines all images `repeats` times and returns the time in ms.
 *
 * @throws {Error} If the hard images are not every second image.
 */
export function run(repeats: number): number {
  const { kernels, scores, offsets } = made;
  const out = new Uint8Array(offsets!.length - 1);
  const started = performance.now();
  for (let i = 0; i < repeats; i++)
    kernels!.ibt({ scores: scores!, offsets: offsets!, thresholdBox: 0.5, thresholdImg: 0.5, out });
  const ms = performance.now() - started;
  if (out.some((hard, i) => hard !== (i % 2 ? 0 : 1)))
    throw new Error("run the example: expected every second image to be hard");
  return ms;
}
