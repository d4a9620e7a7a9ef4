import type { EstimatorMetadata, TrainableEstimator } from "@sedna-js/core";
import { callTraining } from "./call-training.ts";
import { callWorker } from "./call-worker.ts";
import type { RemoteEstimator } from "./protocol.ts";
import { workerCalls } from "./worker-calls.ts";

/** An estimator in a Worker, with all methods that it may have there. */
export type WorkerEstimator<Sample, Result> = TrainableEstimator<Sample, Result> & {
  save(): Promise<Uint8Array>;
};

/**
 * Creates an estimator that calls the one that a Worker exposes with `exposeEstimator`. Frames are
 * transferred, not copied. Errors are rethrown in their own classes. `dispose` terminates the Worker, which
 * releases its memory. The estimator can train if the exposed estimator can; samples of a version that the
 * Worker has read are not sent again.
 *
 * @throws {SednaError} From the calls: `run-failed` if the Worker failed, and the errors of the exposed
 * estimator.
 * @throws {TypeError} From the training calls, if the exposed estimator is not trainable.
 */
export function workerEstimator<Sample, Result>(worker: unknown): WorkerEstimator<Sample, Result> {
  const calls = workerCalls<RemoteEstimator>(worker, { what: "estimator" });
  const { remote, call } = calls;
  const { predict, run, ask } = callWorker(calls);
  let metadata: Promise<EstimatorMetadata> | undefined;

  const dispose = (): Promise<void> => calls.end(() => remote.dispose());

  return {
    async load({ signal } = {}) {
      signal?.throwIfAborted();
      if (calls.dead) throw calls.dead;
      metadata ??= call(() => remote.load()).catch((error: unknown) => {
        metadata = undefined;
        throw error;
      });
      return metadata;
    },
    predict: predict as (sample: Sample, options?: { readonly signal?: AbortSignal }) => Promise<Result>,
    run,
    ...callTraining<Sample>(calls, { ask }),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
