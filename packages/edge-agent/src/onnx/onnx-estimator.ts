import { createOnnxEstimator, type Estimator, type Task } from "@sedna-js/core";
import { onnxRuntime } from "@sedna-js/core/adapters/onnx-runtime";
import {
  defaultProviders,
  importOnnxRuntime,
  readModel,
  sessionOptions,
  type ExecutionProvider,
  type ModelSource,
} from "#platform/onnx";

/** Options of {@link onnxEstimator}. */
export interface OnnxEstimatorOptions<Sample, Result> {
  /** URL, path (in Node) or bytes of the ONNX file. */
  readonly model: ModelSource;
  /** What the model is for: `nanodet()`, `heatmapDetector()`, `classifier()`, `tensors()`, or your own. */
  readonly task: Task<Sample, Result>;
  /**
   * Tried in turn, when the model is opened and when runs fail. Default: WebGPU where there is a real one,
   * then WASM; in Node the CPU.
   */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** CPU threads in Node. Default 1. */
  readonly threads?: number;
  /** Told when a provider could not open the model and the next one is tried. */
  readonly onFallback?: (event: {
    readonly from: string;
    readonly to: string;
    readonly error: unknown;
  }) => void;
}

/**
 * An estimator on ONNX Runtime: `onnxruntime-web` in browsers, `onnxruntime-node` in Node, imported when the
 * model is first used. Nothing is read before `load` or the first `predict`.
 *
 * @throws {SednaError} later, from `load` and `predict`: `missing-dependency`, `model-unreadable`,
 * `model-mismatch`, `run-failed`.
 */
export function onnxEstimator<Sample, Result>(
  options: OnnxEstimatorOptions<Sample, Result>,
): Estimator<Sample, Result> {
  const { model, task, threads, onFallback } = options;
  if (options.executionProviders?.length === 0)
    throw new RangeError("make an ONNX estimator: expected at least one execution provider; got none");
  return createOnnxEstimator({
    task,
    async open({ signal, failures }) {
      // One after the other: no runtime is fetched for a model that is not there.
      const bytes = await readModel(model, { signal });
      const all = options.executionProviders ?? (await defaultProviders());
      // A run failed: first a fresh session where it was, then, from the second failure on, the next
      // provider.
      const executionProviders = all.slice(Math.min(failures >> 1, all.length - 1));
      const ort = await importOnnxRuntime(executionProviders);
      const runtime = onnxRuntime(ort, {
        executionProviders,
        sessionOptions: sessionOptions({ threads }),
        onFallback,
      });
      return { runtime, model: bytes };
    },
  });
}
