import type { CrossEntropyCall } from "../cross-entropy.ts";
import { floorToFloat32 } from "../float32-bound.ts";
import type { IbtCall } from "../ibt.ts";
import type { CheckedImageScores } from "../image-scores.ts";
import { confidence } from "../reference/hard-examples.ts";
import type { ThresholdCall } from "../threshold.ts";
import type { PerceptionMemory } from "./perception-exports.ts";
import { imageWindows, rowWindows } from "./windows.ts";

/** `ibt` in the module. */
export function ibt(memory: PerceptionMemory, call: IbtCall): void {
  const box = floorToFloat32(call.thresholdBox);
  eachWindow(memory, call, (scores, offsets, images, hard) => memory.exports.ibt(scores, offsets, images, box, call.share, hard));
}

/** `threshold` in the module. */
export function threshold(memory: PerceptionMemory, call: ThresholdCall): void {
  eachWindow(memory, call, (scores, offsets, images, hard) => memory.exports.threshold(scores, offsets, images, call.threshold, hard));
}

type ImageKernel = (scores: number, offsets: number, images: number, hard: number) => void;

function eachWindow(memory: PerceptionMemory, call: CheckedImageScores, kernel: ImageKernel): void {
  for (const { first, last } of imageWindows(call.offsets)) {
    const images = last - first;
    const inputs = call.scores.subarray(call.offsets[first], call.offsets[last]);
    const [scores, offsets, hard] = memory.scratch(4 * inputs.length, 4 * (images + 1), images) as [number, number, number];
    memory.floats(scores, inputs.length).set(inputs);
    memory.words(offsets, images + 1).set(call.offsets.subarray(first, last + 1));
    kernel(scores, offsets, images, hard);
    call.out.set(memory.bytes(hard, images), first);
  }
}

/**
 * `crossEntropy` in the module, which computes the confidences in f32. Where one lies so near the
 * threshold that its rounding could decide, the sample is computed again in f64.
 */
export function crossEntropy(memory: PerceptionMemory, call: CrossEntropyCall): void {
  const { probabilities, classes, out } = call;
  const scale = 1 / Math.log2(classes);
  for (const { first, last } of rowWindows({ rows: out.length, columns: classes })) {
    const rows = last - first;
    const [inputs, results] = memory.scratch(4 * rows * classes, 4 * rows) as [number, number];
    memory.floats(inputs, rows * classes).set(probabilities.subarray(first * classes, last * classes));
    memory.exports.cross_entropy(inputs, rows, classes, scale, results);
    decide(call, { first, confidences: memory.floats(results, rows) });
  }
}

function decide(call: CrossEntropyCall, { first, confidences }: { first: number; confidences: Float32Array }): void {
  const { probabilities, classes, threshold, out } = call;
  // More than the error of any row: each of its terms is off by less than 2e-6, summation included.
  const doubt = (2e-6 * classes) / Math.log2(classes);
  for (let i = 0; i < confidences.length; i++) {
    let sure = classes === 1 ? NaN : confidences[i]!;
    if (Math.abs(sure - threshold) <= doubt) {
      const row = (first + i) * classes;
      sure = confidence(probabilities.subarray(row, row + classes));
    }
    out[first + i] = sure < threshold ? 1 : 0;
    if (call.confidences) call.confidences[first + i] = sure;
  }
}
