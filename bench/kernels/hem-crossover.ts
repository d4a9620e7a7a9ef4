import { loadKernelSet } from "../../packages/wasm-kernels/src/module/load-module.ts";
import { perceptionModule } from "../../packages/wasm-kernels/src/perception/load-perception-kernels.ts";
import type { PerceptionKernels } from "../../packages/wasm-kernels/src/perception/perception-kernels.ts";
import type { Figure } from "../result.ts";
import { interleave, ratio, typical } from "../rounds.ts";

const IMAGES = [1, 4, 16, 64, 256, 1024];
const BOXES = 20;
/**
 * Scores to mine in a timed run. It takes many calls, because a call with a small batch is shorter than the
 * clock's resolution.
 */
const SCORES_A_RUN = 40_000;

/** Loads kernels whose miners use the module for batches of at least `least` scores. */
function kernelsWith(least: number): Promise<PerceptionKernels> {
  const module = perceptionModule({ ibt: least, threshold: least, crossEntropy: least });
  return loadKernelSet("benchHemCrossover", { backend: "wasm", candidates: [module] });
}

/** Returns each miner's call for a batch of images with 20 boxes, or of samples with 20 classes. */
function calls(
  kernels: PerceptionKernels,
  images: number,
): Record<"ibt" | "threshold" | "crossEntropy", () => void> {
  let state = 1;
  const scores = Float32Array.from(
    { length: images * BOXES },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24,
  );
  const probabilities = scores.map((value) => (2 * value) / BOXES);
  const offsets = Uint32Array.from({ length: images + 1 }, (_, i) => i * BOXES);
  const out = new Uint8Array(images);
  return {
    ibt: () => kernels.ibt({ scores, offsets, thresholdBox: 0.5, thresholdImg: 0.5, out }),
    threshold: () => kernels.threshold({ scores, offsets, threshold: 0.5, out }),
    crossEntropy: () => kernels.crossEntropy({ probabilities, classes: BOXES, threshold: 0.5, out }),
  };
}

/**
 * From which size on a batch is mined faster in the module than in plain TypeScript, checks and copies
 * included: what `minScores` in `wasm/small-batches.ts` was chosen by. One figure for each miner and size:
 * microseconds a call in the module, and how many times as long TypeScript takes.
 */
export async function benchHemCrossover(): Promise<Figure[]> {
  const [module, plain] = [await kernelsWith(0), await kernelsWith(Infinity)];
  const figures: Figure[] = [];
  for (const miner of ["ibt", "threshold", "crossEntropy"] as const) {
    for (const images of IMAGES) {
      const repeats = Math.ceil(SCORES_A_RUN / (images * BOXES));
      const [inModule, inPlain] = [calls(module, images)[miner], calls(plain, images)[miner]];
      const repeat = (call: () => void) => () => {
        for (let i = 0; i < repeats; i++) call();
      };
      const rounds = await interleave(
        { module: repeat(inModule), plain: repeat(inPlain) },
        { rounds: 11, runs: 3, warmUp: 10 },
      );
      figures.push({
        name: "hem-crossover",
        metric: `${miner}, ${images} x ${BOXES}, in the module`,
        value: (1000 * typical(rounds, "module")) / repeats,
        unit: "us per call",
        peer: "plain TypeScript (times faster)",
        ratio: ratio(rounds, { a: "plain", b: "module" }),
      });
    }
  }
  module.dispose();
  plain.dispose();
  return figures;
}
