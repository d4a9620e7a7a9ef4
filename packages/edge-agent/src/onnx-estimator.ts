import { createOnnxEstimator, onnxRuntime, type Estimator, type Task } from "@sedna-js/core";
import type { Kernels } from "@sedna-js/wasm-kernels";
import { defaultProviders, importOnnxRuntime, readModel, sessionOptions, type ExecutionProvider, type ModelSource } from "#platform";

/** Options of {@link onnxEstimator}. */
export interface OnnxEstimatorOptions<Sample, Result> {
  /** URL, path (in Node) or bytes of the ONNX file. */
  readonly model: ModelSource;
  /** What the model is for: `nanodet()`, `heatmapDetector()`, `classifier()`, `tensors()`, or your own. */
  readonly task: Task<Sample, Result>;
  /** Tried in turn. Default: WebGPU where there is one, then WASM; in Node the CPU. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** CPU threads in Node. Default 1. */
  readonly threads?: number;
  /** Told when a provider could not open the model and the next one is tried. */
  readonly onFallback?: (event: { readonly from: string; readonly to: string; readonly error: unknown }) => void;
  /** Kernels to share between estimators. */
  readonly kernels?: Kernels;
}

/**
 * An estimator on ONNX Runtime: `onnxruntime-web` in browsers, `onnxruntime-node` in Node, imported when the
 * model is first used. Nothing is read before `load` or the first `predict`.
 *
 * @throws {SednaError} later, from `load` and `predict`: `missing-dependency`, `model-unreadable`, `model-mismatch`, `run-failed`.
 */
export function onnxEstimator<Sample, Result>(options: OnnxEstimatorOptions<Sample, Result>): Estimator<Sample, Result> {
  const { model, task, threads, onFallback, kernels } = options;
  if (options.executionProviders?.length === 0) throw new RangeError("make an ONNX estimator: expected at least one execution provider; got none");
  return createOnnxEstimator({
    task,
    kernels,
    async open({ signal }) {
      // One after the other: no runtime is fetched for a model that is not there.
      const bytes = await readModel(model, { signal });
      const executionProviders = options.executionProviders ?? (await defaultProviders());
      const ort = await importOnnxRuntime(executionProviders);
      const runtime = onnxRuntime(ort, { executionProviders, sessionOptions: sessionOptions({ threads }), onFallback });
      return { runtime, model: bytes };
    },
  });
}
