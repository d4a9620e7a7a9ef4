import { createOnnxEstimator, SednaError, type DecodeImage, type Estimator } from "@sedna-js/core";
import { onnxRuntime, type OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import { decodeWithSharp, type SharpModule } from "@sedna-js/core/adapters/sharp";
import { importOptional } from "@sedna-js/core/errors";
import { readFile } from "node:fs/promises";
import type { OnnxFileOptions } from "./platform.ts";

/** Returns an estimator that runs an ONNX file on `onnxruntime-node`. */
export function onnxFile<Sample, Result>({
  path,
  ...options
}: OnnxFileOptions<Sample, Result>): Estimator<Sample, Result> {
  const read = (): Promise<Uint8Array> =>
    readFile(path).catch((cause: Error) => {
      throw new SednaError(`read the model ${path}: expected a file; got ${cause.message}`, {
        code: "model-unreadable",
        cause,
      });
    });
  return onnxBytes({ ...options, model: read });
}

/** Returns an estimator that runs an ONNX model, given as bytes or as a function that reads them. */
export function onnxBytes<Sample, Result>({
  model: source,
  task,
  threads = 0,
}: Omit<OnnxFileOptions<Sample, Result>, "path"> & {
  readonly model: Uint8Array | (() => Promise<Uint8Array>);
}): Estimator<Sample, Result> {
  return createOnnxEstimator({
    task,
    async open() {
      const model = typeof source === "function" ? await source() : source;
      const ort = await importOptional("onnxruntime-node", {
        action: "load ONNX Runtime",
        load: () => import("onnxruntime-node"),
      });
      const sessionOptions = threads > 0 ? { intraOpNumThreads: threads } : {};
      return {
        model,
        runtime: onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"], sessionOptions }),
      };
    },
  });
}

/** Returns a decoder for JPEG, PNG and WebP that uses the optional package `sharp`. */
export function sharpDecoder(): DecodeImage {
  const sharp = async (): Promise<SharpModule> => {
    const { default: open } = await importOptional("sharp", {
      action: "read pictures in Node",
      load: () => import("sharp"),
    });
    return open as unknown as SharpModule;
  };
  return (bytes) => decodeWithSharp(bytes, sharp);
}
