import { anyNumber, exactLength, typedArray } from "../module/check.ts";
import { checkOut } from "./image-scores.ts";
import { checkRows } from "./rows.ts";

/** What {@link PerceptionKernels.crossEntropy} takes. */
export interface CrossEntropyOptions {
  /** `[n, classes]`, row-major. */
  readonly probabilities: Float32Array;
  readonly classes: number;
  /** The sample is hard when its confidence is `<` this. */
  readonly threshold: number;
  /** One byte a sample; a new array unless given. */
  readonly out?: Uint8Array;
  /** Receives each sample's confidence; NaN where there is none (a value outside 0..1, or one class). */
  readonly confidences?: Float32Array;
}

/** {@link CrossEntropyOptions} that passed the checks. */
export interface CrossEntropyCall {
  readonly probabilities: Float32Array;
  readonly classes: number;
  readonly threshold: number;
  readonly out: Uint8Array;
  readonly confidences: Float32Array | undefined;
}

/** Throws TypeError or RangeError; touches nothing. */
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
