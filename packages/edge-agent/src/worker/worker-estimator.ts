import { isFrame, type Estimator, type EstimatorMetadata } from "@sedna-js/core";
import { transfer } from "comlink";
import { shareFrame } from "#platform";
import type { PostedSample, RemoteEstimator } from "./protocol.ts";
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
  let samples = 0;
  let metadata: Promise<EstimatorMetadata> | undefined;

  /** The sample as something to post; `drop` gives back what was shared and then not posted. */
  const post = async (sample: Sample): Promise<{ posted: PostedSample; transfers: never[]; drop(): void }> => {
    if (!isFrame(sample)) return { posted: { kind: "plain", sample }, transfers: [], drop() {} };
    const { handle, transfer, close } = await shareFrame(sample);
    return { posted: { kind: "frame", handle }, transfers: transfer as never[], drop: close };
  };

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
    async predict(sample, { signal } = {}) {
      signal?.throwIfAborted();
      if (calls.dead) throw calls.dead;
      const id = samples++;
      const { posted, transfers, drop } = await post(sample);
      if (calls.dead || signal?.aborted) {
        drop();
        throw calls.dead ?? signal?.reason;
      }
      const cancel = (): void => void remote.cancel(id);
      signal?.addEventListener("abort", cancel, { once: true });
      try {
        return (await call(() => remote.predict(id, transfer(posted, transfers)))) as Result;
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener("abort", cancel);
      }
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
