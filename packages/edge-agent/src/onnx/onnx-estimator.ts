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
  /** URL, path (in Node), or bytes of the ONNX file. */
  readonly model: ModelSource;
  /** The task of the model: `nanodet()`, `heatmapDetector()`, `classifier()`, `tensors()`, or your own. */
  readonly task: Task<Sample, Result>;
  /**
   * Execution providers, in order of preference. The next one is used if the model cannot be opened or runs
   * fail. Default: WebGPU if hardware-accelerated, then WASM; in Node the CPU.
   */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** CPU threads in Node. Default 1. */
  readonly threads?: number;
  /** Called when a provider cannot open the model and the next one is tried. */
  readonly onFallback?: (event: {
    readonly from: string;
    readonly to: string;
    readonly error: unknown;
  }) => void;
}

/**
 * Creates an estimator that runs on ONNX Runtime: `onnxruntime-web` in browsers, `onnxruntime-node` in Node.
 * The runtime is imported when the model is first used. Nothing is read before `load` or the first `predict`.
 *
 * @throws {SednaError} From `load` and `predict`: `missing-dependency`, `model-unreadable`, `model-mismatch`,
 * `run-failed`.
 */
export function onnxEstimator<Sample, Result>(
  options: OnnxEstimatorOptions<Sample, Result>,
): Estimator<Sample, Result> {
  const { model, task, threads, onFallback } = options;
  if (options.executionProviders?.length === 0)
    throw new RangeError("create an ONNX estimator: expected at least one execution provider; got none");
  return createOnnxEstimator({
    task,
    async open({ signal, failures }) {
      // Read the model first, so that no runtime is fetched for a missing model.
      const bytes = await readModel(model, { signal });
      const all = options.executionProviders ?? (await defaultProviders());
      // After a failed run, first open a new session on the same provider; after every second failure use the
      // next provider.
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
