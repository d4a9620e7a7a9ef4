import type { DecodeImage, Estimator, Task } from "@sedna-js/core";

/** Options of {@link onnxFile}. */
export interface OnnxFileOptions<Sample, Result> {
  readonly path: string;
  readonly task: Task<Sample, Result>;
  /** CPU threads of a run. Default: chosen by ONNX Runtime. */
  readonly threads?: number;
}

/** Returns an estimator that runs an ONNX file on `onnxruntime-node`. */
export declare function onnxFile<Sample, Result>(
  options: OnnxFileOptions<Sample, Result>,
): Estimator<Sample, Result>;

/** Returns a decoder for JPEG, PNG and WebP that uses the optional package `sharp`. */
export declare function sharpDecoder(): DecodeImage;
