import { loadPerceptionKernels } from "@sedna-js/wasm-kernels";
import type { Figure } from "./result.ts";
import { interleave, ratio, typical } from "./rounds.ts";

const SAMPLES = 100_000;
const BOXES = 20;
const CLASSES = 80;

/** Repeatable numbers in 0..1. */
function random(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24);
}

/** IBT in plain JavaScript over the same typed arrays. */
function ibtLoop(scores: Float32Array, offsets: Uint32Array, out: Uint8Array): Uint8Array {
  for (let i = 0; i < out.length; i++) {
    const end = offsets[i + 1]!;
    let low = 0;
    let valid = end > offsets[i]!;
    for (let k = offsets[i]!; k < end; k++) {
      const score = scores[k]!;
      if (!(score >= 0 && score <= 1)) valid = false;
      if (score <= 0.5) low++;
    }
    out[i] = valid && low / (end - offsets[i]!) >= 1 - 0.5 ? 1 : 0;
  }
  return out;
}

/** CrossEntropy in plain JavaScript over the same typed arrays. */
function entropyLoop(probabilities: Float32Array, out: Uint8Array): Uint8Array {
  const scale = 1 / Math.log(CLASSES);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    let valid = true;
    for (let k = i * CLASSES; k < (i + 1) * CLASSES; k++) {
      const p = probabilities[k]!;
      if (!(p >= 0 && p <= 1)) valid = false;
      if (p > 0) sum += p * Math.log(p);
    }
    out[i] = valid && 1 + sum * scale < 0.5 ? 1 : 0;
  }
  return out;
}

/** Batches of samples mined, from the caller's arrays to the caller's array, copies included. */
export async function benchHem(): Promise<Figure[]> {
  const kernels = await loadPerceptionKernels({ backend: "wasm" });
  const scores = random(SAMPLES * BOXES);
  const offsets = Uint32Array.from({ length: SAMPLES + 1 }, (_, i) => i * BOXES);
  const probabilities = random(SAMPLES * CLASSES).map((value) => (2 * value) / CLASSES);
  const out = new Uint8Array(SAMPLES);
  const options = { rounds: 15, runs: 3, warmUp: 3 };
  const ibt = await interleave({ js: () => ibtLoop(scores, offsets, out), wasm: () => kernels.ibt({ scores, offsets, thresholdBox: 0.5, thresholdImg: 0.5, out }) }, options);
  const entropy = await interleave({ js: () => entropyLoop(probabilities, out), wasm: () => kernels.crossEntropy({ probabilities, classes: CLASSES, threshold: 0.5, out }) }, options);
  kernels.dispose();
  const peer = "JavaScript (times faster)";
  return [
    { name: "hem", metric: "IBT, 1e5 images of 20 boxes", value: typical(ibt, "wasm"), unit: "ms", peer, ratio: ratio(ibt, { a: "js", b: "wasm" }) },
    { name: "hem", metric: "CrossEntropy, 1e5 samples of 80 classes", value: typical(entropy, "wasm"), unit: "ms", peer, ratio: ratio(entropy, { a: "js", b: "wasm" }) },
  ];
}
