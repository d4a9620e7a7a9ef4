import { loadKernels, type Kernels } from "@sedna-js/wasm-kernels";
import { SednaError } from "../errors.ts";
import type { BoundTask, Task } from "./task.ts";
import { fits, type TensorData, type Tensors } from "../tensor.ts";
import { joinBatch, splitBatch, takesBatches } from "./batch.ts";
import type { Estimator, EstimatorMetadata } from "./estimator.ts";
import type { OnnxRuntime, OnnxSession } from "./onnx-runtime.ts";
import { createRunQueue } from "./run-queue.ts";

/** Options of {@link createOnnxEstimator}. */
export interface OnnxEstimatorOptions<Sample, Result> {
  /** Opens the model on the first `load`; an adapter of ONNX Runtime. */
  readonly open: (options: { readonly signal?: AbortSignal }) => Promise<{ readonly runtime: OnnxRuntime; readonly model: Uint8Array }>;
  /** How samples become inputs and outputs results. */
  readonly task: Task<Sample, Result>;
  /** Kernels to share; without them the estimator loads its own. */
  readonly kernels?: Kernels;
}

interface Loaded<Sample, Result> {
  readonly session: OnnxSession;
  readonly bound: BoundTask<Sample, Result>;
  readonly kernels: Kernels;
  readonly metadata: EstimatorMetadata;
}

/**
 * An ONNX model as an estimator, on whatever ONNX Runtime is handed in. Runs never overlap; a run that is
 * rejected leaves the next unharmed.
 *
 * @throws {SednaError} from `load` and `predict`: `model-unreadable`, `model-mismatch`, `run-failed`, `disposed`.
 */
export function createOnnxEstimator<Sample, Result>({ open, task, kernels: shared }: OnnxEstimatorOptions<Sample, Result>): Estimator<Sample, Result> {
  const queue = createRunQueue();
  let loading: Promise<Loaded<Sample, Result>> | undefined;

  const start = async (signal?: AbortSignal): Promise<Loaded<Sample, Result>> => {
    const { runtime, model } = await open({ signal });
    const session = await runtime.createSession(model);
    const kernels = shared ?? (await loadKernels());
    try {
      const bound = task.bind({ inputs: session.inputs, outputs: session.outputs, kernels });
      const { inputs, outputs, backend } = session;
      return { session, bound, kernels, metadata: { kind: bound.kind, inputs, outputs, backend } };
    } catch (error) {
      if (!shared) kernels.dispose();
      await session.release();
      throw error;
    }
  };
  const ready = (signal?: AbortSignal): Promise<Loaded<Sample, Result>> => {
    loading ??= start(signal).catch((error: unknown) => {
      // The next call may try again: the network, or the caller who aborted, may have changed its mind.
      loading = undefined;
      throw error;
    });
    return loading;
  };

  const predict = (sample: Sample, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Result> =>
    queue.run(async () => {
      const { session, bound } = await ready(signal);
      const feeds = await bound.preprocess(sample);
      signal?.throwIfAborted();
      return bound.postprocess(await run(session, feeds), sample);
    }, { signal });

  const predictBatch = (samples: readonly Sample[], { signal }: { readonly signal?: AbortSignal } = {}): Promise<Result[]> =>
    queue.run(async () => {
      const { session, bound } = await ready(signal);
      const batched = samples.length > 1 && takesBatches([...session.inputs, ...session.outputs]);
      const feeds: Tensors[] = [];
      const results: Result[] = [];
      for (const sample of samples) {
        const one = await bound.preprocess(sample);
        signal?.throwIfAborted();
        if (batched) feeds.push(copy(one));
        else results.push(bound.postprocess(await run(session, one), sample));
      }
      if (!batched) return results;
      const joined = joinBatch(feeds);
      if (!joined) throw new TypeError("run a batch: expected samples of one shape; got several");
      const rows = feeds.map((one) => Object.values(one)[0]!.shape[0]!);
      return splitBatch(await run(session, joined), rows).map((outputs, i) => bound.postprocess(outputs, samples[i]!));
    }, { signal });

  const dispose = async (): Promise<void> => {
    await queue.close();
    const loaded = await loading?.catch(() => undefined);
    loading = undefined;
    if (!loaded) return;
    loaded.bound.dispose();
    if (!shared) loaded.kernels.dispose();
    await loaded.session.release();
  };

  return {
    load: async ({ signal } = {}) => (await ready(signal)).metadata,
    predict,
    predictBatch,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Runs a session on inputs that fit it. */
async function run(session: OnnxSession, feeds: Tensors): Promise<Tensors> {
  for (const spec of session.inputs) {
    const fed = feeds[spec.name];
    if (fed === undefined) {
      throw new TypeError(`run the model: expected the inputs ${session.inputs.map(({ name }) => name).join(", ")}; got ${Object.keys(feeds).join(", ") || "none"}`);
    }
    if (fed.dtype !== spec.dtype || !fits(fed.shape, spec)) {
      throw new TypeError(`run the model: expected ${spec.name} as ${spec.dtype} [${spec.shape}]; got ${fed.dtype} [${fed.shape}]`);
    }
  }
  try {
    return await session.run(feeds);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SednaError(`run the model: expected outputs; got a failure of ONNX Runtime: ${why}`, { code: "run-failed", retryable: true, cause });
  }
}

/** Inputs of their own: what `preprocess` gives may be overwritten by its next call. */
function copy(feeds: Tensors): Tensors {
  return Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, { ...fed, data: fed.data.slice() as TensorData }]));
}
