import { loadPerceptionKernels, type PerceptionKernels } from "@sedna-js/wasm-kernels";
import { messageOf, SednaError } from "../errors.ts";
import { abortable } from "../async/abortable.ts";
import type { BoundTask, Task } from "./task.ts";
import { checkInputs, type TensorData, type Tensors } from "../tensor.ts";
import { joinBatch, splitBatch } from "./batch.ts";
import type { Estimator, EstimatorMetadata } from "./estimator.ts";
import type { ExternalData, OnnxRuntime, OnnxSession } from "./onnx-session.ts";
import { createSerialQueue } from "../async/serial-queue.ts";

/** Options of {@link createOnnxEstimator}. */
export interface OnnxEstimatorOptions<Sample, Result> {
  /**
   * Opens the model on the first `load`, and again after a failed run. `failures` is the number of
   * consecutive failed runs: an adapter can retry the same provider first and then switch to the next one.
   */
  readonly open: (options: { readonly signal: AbortSignal; readonly failures: number }) => Promise<{
    readonly runtime: OnnxRuntime;
    readonly model: Uint8Array;
    readonly externalData?: readonly ExternalData[];
  }>;
  /** Converts samples to inputs and outputs to results. */
  readonly task: Task<Sample, Result>;
}

/** Minimum delay before a load is retried after a recoverable failure, in ms. */
const RETRY_MS = 500;

interface Loaded<Sample, Result> {
  readonly session: OnnxSession;
  readonly bound: BoundTask<Sample, Result>;
  readonly kernels: PerceptionKernels;
  readonly metadata: EstimatorMetadata;
}

/**
 * Creates an estimator from an ONNX model, on the ONNX Runtime that `open` returns. Runs never overlap. A
 * failed run does not affect the next call: the session may be broken (a lost GPU rejects forever), so the
 * next call opens a new session.
 *
 * @throws {SednaError} From `load` and `predict`: `model-unreadable`, `model-mismatch`, `run-failed`,
 * `disposed`.
 */
export function createOnnxEstimator<Sample, Result>({
  open,
  task,
}: OnnxEstimatorOptions<Sample, Result>): Estimator<Sample, Result> {
  const queue = createSerialQueue();
  const life = new AbortController();
  let loading: Promise<Loaded<Sample, Result>> | undefined;
  let failures = 0;
  let retryAt = Infinity;
  let disposing: Promise<void> | undefined;

  const start = async (): Promise<Loaded<Sample, Result>> => {
    const { runtime, model, externalData } = await open({ signal: life.signal, failures });
    const session = await runtime.createSession(model, { externalData });
    let kernels: PerceptionKernels | undefined;
    try {
      kernels = await loadPerceptionKernels();
      const { inputs, outputs, backend, batches } = session;
      const bound = task.bind({ inputs, outputs, kernels });
      return { session, bound, kernels, metadata: { kind: bound.kind, inputs, outputs, backend, batches } };
    } catch (error) {
      kernels?.dispose();
      await session.release();
      throw error;
    }
  };
  /**
   * Shares one load among all callers. A permanent failure is kept; any other failure is retried after a
   * delay, not on every camera frame.
   */
  const ready = (): Promise<Loaded<Sample, Result>> => {
    if (disposing) return Promise.reject(disposed());
    if (performance.now() >= retryAt) {
      retryAt = Infinity;
      loading = undefined;
    }
    loading ??= start().catch((error: unknown) => {
      const isFinal = error instanceof SednaError && !error.retryable;
      if (!isFinal) retryAt = performance.now() + RETRY_MS;
      throw error;
    });
    return loading;
  };
  const release = async ({ bound, kernels, session }: Loaded<Sample, Result>): Promise<void> => {
    bound.dispose();
    kernels.dispose();
    await session.release();
  };
  /** Runs `work` on the loaded model, and releases the session after a failed run. */
  const using = async <T>(work: (loaded: Loaded<Sample, Result>) => Promise<T>): Promise<T> => {
    const loaded = await ready();
    try {
      const result = await work(loaded);
      failures = 0;
      return result;
    } catch (error) {
      if (error instanceof SednaError && error.code === "run-failed") {
        failures++;
        loading = undefined;
        // Releasing a session whose device is lost may fail too.
        await release(loaded).catch(() => {});
        if (failures > 1) {
          // Retry once immediately. After that, delay: otherwise each camera frame would read the model
          // again.
          loading = Promise.reject(error);
          loading.catch(() => {});
          retryAt = performance.now() + RETRY_MS;
        }
      }
      throw error;
    }
  };

  const predict = (sample: Sample, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Result> =>
    queue.run(
      () =>
        using(async ({ session, bound }) => {
          const feeds = await bound.preprocess(sample);
          signal?.throwIfAborted();
          return bound.postprocess(await run(session, feeds), sample);
        }),
      { signal },
    );

  const predictBatch = (
    samples: readonly Sample[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Result[]> =>
    queue.run(
      () =>
        using(async ({ session, bound }) => {
          const batched = samples.length > 1 && session.batches;
          const feeds: Tensors[] = [];
          const results: Result[] = [];
          for (const sample of samples) {
            const one = await bound.preprocess(sample);
            signal?.throwIfAborted();
            if (batched) feeds.push(copy(one));
            else results.push(bound.postprocess(await run(session, one), sample));
          }
          if (!batched) return results;
          const { joined, rows } = joinBatch(feeds);
          return splitBatch(await run(session, joined), rows).map((outputs, i) =>
            bound.postprocess(outputs, samples[i]!),
          );
        }),
      { signal },
    );

  const dispose = (): Promise<void> => {
    disposing ??= (async () => {
      const loaded = loading?.catch(() => undefined);
      life.abort(disposed());
      await queue.close();
      const last = await loaded;
      // A run that failed meanwhile has already released the model.
      if (last && loading !== undefined) await release(last);
    })();
    return disposing;
  };

  return {
    async load({ signal } = {}) {
      signal?.throwIfAborted();
      const { metadata } = await abortable(ready(), signal);
      return metadata;
    },
    predict,
    predictBatch,
    run: (feeds, { signal } = {}) => queue.run(() => using(({ session }) => run(session, feeds)), { signal }),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function disposed(): SednaError {
  return new SednaError("use a model: expected a live estimator; got one that was disposed", {
    code: "disposed",
  });
}

/** Runs a session and checks that the inputs fit it. */
async function run(session: OnnxSession, feeds: Tensors): Promise<Tensors> {
  checkInputs(session.inputs, feeds);
  try {
    return await session.run(feeds);
  } catch (cause) {
    const why = messageOf(cause);
    throw new SednaError(`run the model: expected outputs; got a failure of ONNX Runtime: ${why}`, {
      code: "run-failed",
      retryable: true,
      cause,
    });
  }
}

/** Copies inputs, because the next `preprocess` call may overwrite them. */
function copy(feeds: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, fed]) => [name, { ...fed, data: fed.data.slice() as TensorData }]),
  );
}
