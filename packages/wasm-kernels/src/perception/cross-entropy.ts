import { anyNumber, exactLength, typedArray } from "../module/check.ts";
import { checkOut } from "./image-scores.ts";
import { checkRows } from "./rows.ts";

/** Probabilities and threshold for {@link PerceptionKernels.crossEntropy}. */
export interface CrossEntropyOptions {
  /** Class probabilities `[n, classes]`, row-major. */
  readonly probabilities: Float32Array;
  readonly classes: number;
  /** A sample is hard if its confidence is `<` this threshold. */
  readonly threshold: number;
  /** Output with one byte per sample. Default: a new array. */
  readonly out?: Uint8Array;
  /**
   * Output for the confidence of each sample. NaN if a value is outside 0..1 or if there is only one class.
   */
  readonly confidences?: Float32Array;
}

/** Validated {@link CrossEntropyOptions}. */
export interface CrossEntropyCall {
  readonly probabilities: Float32Array;
  readonly classes: number;
  readonly threshold: number;
  readonly out: Uint8Array;
  readonly confidences: Float32Array | undefined;
}

/**
 * Validates the options of {@link PerceptionKernels.crossEntropy}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkCrossEntropy(options: CrossEntropyOptions): CrossEntropyCall {
  const action = "crossEntropy";
  const { values, columns, count } = checkRows(action, {
    name: "probabilities",
    values: options.probabilities,
    columnsName: "classes",
    columns: options.classes,
  });
  const threshold = anyNumber({ action, name: "threshold" }, options.threshold);
  const out = checkOut(action, { out: options.out, length: count });
  const { confidences } = options;
  if (confidences !== undefined) {
    const subject = { action, name: "confidences" };
    exactLength(subject, {
      array: typedArray(subject, { kind: "Float32Array", value: confidences }),
      length: count,
    });
  }
  return { probabilities: values, classes: columns, threshold, out, confidences };
}
