import type { EstimatorMetadata, TrainableEstimator } from "@sedna-js/core";
import { callTraining } from "./call-training.ts";
import { callWorker } from "./call-worker.ts";
import type { RemoteEstimator } from "./protocol.ts";
import { workerCalls } from "./worker-calls.ts";

/** An estimator in a Worker, with all calls that it may have there. */
export type WorkerEstimator<Sample, Result> = TrainableEstimator<Sample, Result> & {
  save(): Promise<Uint8Array>;
};

/**
 * The estimator that a Worker exposes with `exposeEstimator`, as if it were here. Frames are handed over, not
 * copied; errors come back in their own classes; `dispose` ends the Worker, which gives its memory back. It
 * trains where the exposed estimator does; samples of a version that the Worker knows do not travel again.
 *
 * @throws {SednaError} from the calls: `run-failed` when the Worker died, and what the estimator itself
 * throws.
 * @throws {TypeError} from the calls for training, where the exposed estimator does not learn.
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
