import type { DecodeImage, Estimator, Task } from "@sedna-js/core";

/** Options of {@link onnxFile}. */
export interface OnnxFileOptions<Sample, Result> {
  readonly path: string;
  readonly task: Task<Sample, Result>;
  /** CPU threads of a run. Default: as many as ONNX Runtime likes. */
  readonly threads?: number;
}

/** An ONNX file on `onnxruntime-node`, as an estimator to serve. */
export declare function onnxFile<Sample, Result>(
  options: OnnxFileOptions<Sample, Result>,
): Estimator<Sample, Result>;

/** Decodes JPEG, PNG and WebP with the optional package `sharp`. */
export declare function sharpDecoder(): DecodeImage;
