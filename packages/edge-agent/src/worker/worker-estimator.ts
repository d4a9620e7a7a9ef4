import type { Estimator, EstimatorMetadata } from "@sedna-js/core";
import { askWorker } from "./ask-worker.ts";
import type { RemoteEstimator } from "./protocol.ts";
import { workerCalls } from "./worker-calls.ts";

/**
 * The estimator that a Worker exposes with `exposeEstimator`, as if it were here. Frames are handed over, not
 * copied; errors come back in their own classes; `dispose` ends the Worker, which gives its memory back.
 *
 * @throws {SednaError} from the calls: `run-failed` when the Worker died, and what the estimator itself throws.
 */
export function workerEstimator<Sample, Result>(worker: unknown): Estimator<Sample, Result> {
  const calls = workerCalls<RemoteEstimator>(worker, { what: "estimator" });
  const { remote, call } = calls;
  const { predict, run } = askWorker(calls);
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
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
