import { fromPlainError, isFrame, SednaError, type Estimator, type EstimatorMetadata } from "@sedna-js/core";
import { transfer, wrap, type Endpoint } from "comlink";
import { onWorkerFailure, shareFrame, terminateWorker, workerEndpoint } from "#platform";
import type { PostedSample, RemoteEstimator, Reply } from "./protocol.ts";

/**
 * The estimator that a Worker exposes with `exposeEstimator`, as if it were here. Frames are handed over, not
 * copied; errors come back in their own classes; `dispose` ends the Worker, which gives its memory back.
 *
 * @throws {SednaError} from the calls: `run-failed` when the Worker died, and what the estimator itself throws.
 */
export function workerEstimator<Sample, Result>(worker: unknown): Estimator<Sample, Result> {
  const remote = wrap<RemoteEstimator>(workerEndpoint(worker) as Endpoint);
  const waiting = new Set<(error: Error) => void>();
  let dead: SednaError | undefined;
  let calls = 0;
  let metadata: Promise<EstimatorMetadata> | undefined;

  const die = (error: SednaError): void => {
    dead ??= error;
    for (const reject of waiting) reject(dead);
    waiting.clear();
  };
  const stopListening = onWorkerFailure(worker, (cause) =>
    die(new SednaError(`run in a worker: expected it to live; ${cause.message}`, { code: "run-failed", retryable: true, cause })),
  );

  /** A call to the Worker that its death also ends. */
  const call = async <T>(send: () => Promise<Reply<T>>): Promise<T> => {
    if (dead) throw dead;
    let abandon!: (error: Error) => void;
    const death = new Promise<never>((_, reject) => (abandon = reject));
    waiting.add(abandon);
    try {
      const reply = await Promise.race([send(), death]);
      if (!reply.ok) throw fromPlainError(reply.error);
      return reply.value;
    } finally {
      waiting.delete(abandon);
    }
  };

  const post = async (sample: Sample): Promise<{ posted: PostedSample; transfers: never[] }> => {
    if (!isFrame(sample)) return { posted: { kind: "plain", sample }, transfers: [] };
    const { handle, transfer } = await shareFrame(sample);
    return { posted: { kind: "frame", handle }, transfers: transfer as never[] };
  };

  const dispose = async (): Promise<void> => {
    stopListening();
    if (!dead) await call(() => remote.dispose()).catch(() => undefined);
    die(new SednaError("run in a worker: expected a live estimator; got one that was disposed", { code: "disposed" }));
    await terminateWorker(worker);
  };

  return {
    load() {
      metadata ??= call(() => remote.load()).catch((error: unknown) => {
        metadata = undefined;
        throw error;
      });
      return metadata;
    },
    async predict(sample, { signal } = {}) {
      signal?.throwIfAborted();
      const id = calls++;
      const { posted, transfers } = await post(sample);
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
