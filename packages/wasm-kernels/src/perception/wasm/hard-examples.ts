import type { CrossEntropyCall } from "../cross-entropy.ts";
import { floorToFloat32 } from "../../module/float32-bound.ts";
import type { IbtCall } from "../ibt.ts";
import type { CheckedImageScores } from "../image-scores.ts";
import { confidence } from "../reference/hard-examples.ts";
import type { ThresholdCall } from "../threshold.ts";
import type { PerceptionMemory } from "./perception-exports.ts";
import { imageWindows, rowWindows } from "../../module/windows.ts";

/** Runs `ibt` in the module. */
export function ibt(memory: PerceptionMemory, call: IbtCall): void {
  const box = floorToFloat32(call.thresholdBox);
  eachWindow(memory, call, (scores, offsets, images, hard) =>
    memory.exports.ibt(scores, offsets, images, box, call.share, hard),
  );
}

/** Runs `threshold` in the module. */
export function threshold(memory: PerceptionMemory, call: ThresholdCall): void {
  eachWindow(memory, call, (scores, offsets, images, hard) =>
    memory.exports.threshold(scores, offsets, images, call.threshold, hard),
  );
}

type ImageKernel = (scores: number, offsets: number, images: number, hard: number) => void;

function eachWindow(memory: PerceptionMemory, call: CheckedImageScores, kernel: ImageKernel): void {
  // Read the address before allocating: when memory grows, the caller's view is detached but its address
  // stays valid.
  const resident = memory.addressOf(call.scores);
  for (const { first, last } of imageWindows(call.offsets, { resident: resident !== undefined })) {
    const images = last - first;
    const count = call.offsets[last]! - call.offsets[first]!;
    const [room, offsets, hard] = memory.scratch(
      resident === undefined ? 4 * count : 0,
      4 * (images + 1),
      images,
    ) as [number, number, number];
    if (resident === undefined)
      memory.floats(room, count).set(call.scores.subarray(call.offsets[first], call.offsets[last]));
    memory.words(offsets, images + 1).set(call.offsets.subarray(first, last + 1));
    kernel(resident === undefined ? room : resident + 4 * call.offsets[first]!, offsets, images, hard);
    call.out.set(memory.bytes(hard, images), first);
  }
}

/**
 * Runs `crossEntropy` in the module, which computes the confidences in f32. If a confidence is so near the
 * threshold that rounding could change the decision, the sample is computed again in f64.
 */
export function crossEntropy(memory: PerceptionMemory, call: CrossEntropyCall): void {
  const { probabilities, classes, out } = call;
  const scale = 1 / Math.log2(classes);
  const resident = memory.addressOf(probabilities);
  for (const { first, last } of rowWindows({ rows: out.length, columns: classes })) {
    const rows = last - first;
    const [room, results] = memory.scratch(resident === undefined ? 4 * rows * classes : 0, 4 * rows) as [
      number,
      number,
    ];
    if (resident === undefined)
      memory.floats(room, rows * classes).set(probabilities.subarray(first * classes, last * classes));
    const inputs = resident === undefined ? room : resident + 4 * first * classes;
    memory.exports.cross_entropy(inputs, rows, classes, scale, results);
    decide(call, {
      first,
      inputs: memory.floats(inputs, rows * classes),
      confidences: memory.floats(results, rows),
    });
  }
}

/** Options of {@link decide}. */
interface DecideOptions {
  first: number;
  inputs: Float32Array;
  confidences: Float32Array;
}

function decide(call: CrossEntropyCall, { first, inputs, confidences }: DecideOptions): void {
  const { classes, threshold, out } = call;
  // More than the error of any row: the error of each term is less than 2e-6, including the summation.
  const doubt = (2e-6 * classes) / Math.log2(classes);
  for (let i = 0; i < confidences.length; i++) {
    let sure = classes === 1 ? NaN : confidences[i]!;
    if (Math.abs(sure - threshold) <= doubt) {
      sure = confidence(inputs.subarray(i * classes, (i + 1) * classes));
    }
    out[first + i] = sure < threshold ? 1 : 0;
    if (call.confidences) call.confidences[first + i] = sure;
  }
}
