import { fromPlainError, isFrame, SednaError, type Estimator, type EstimatorMetadata } from "@sedna-js/core";
import { transfer, wrap, type Endpoint } from "comlink";
import { onWorkerFailure, shareFrame, terminateWorker, workerEndpoint } from "#platform";
import type { PostedSample, RemoteEstimator, Reply } from "./protocol.ts";

/** How long a Worker has to dispose its estimator before it is ended. */
const GRACE_MS = 1000;

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
  let disposing: Promise<void> | undefined;
  let metadata: Promise<EstimatorMetadata> | undefined;

  const die = (error: SednaError): void => {
    dead ??= error;
    for (const reject of waiting) reject(dead);
    waiting.clear();
  };
  const stopListening = onWorkerFailure(worker, (cause) => {
    die(new SednaError(`run in a worker: expected it to live; ${cause.message}`, { code: "run-failed", cause }));
    // Whatever is left of it keeps the model's memory and answers nobody.
    void terminateWorker(worker);
  });

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

  /** The sample as something to post; `drop` gives back what was shared and then not posted. */
  const post = async (sample: Sample): Promise<{ posted: PostedSample; transfers: never[]; drop(): void }> => {
    if (!isFrame(sample)) return { posted: { kind: "plain", sample }, transfers: [], drop() {} };
    const { handle, transfer, close } = await shareFrame(sample);
    return { posted: { kind: "frame", handle }, transfers: transfer as never[], drop: close };
  };

  const dispose = (): Promise<void> => {
    disposing ??= (async () => {
      // A Worker that hangs gets a moment to let go of its model, then it is ended.
      const grace = new Promise((resolve) => setTimeout(() => resolve(undefined), GRACE_MS));
      if (!dead) await Promise.race([call(() => remote.dispose()).catch(() => undefined), grace]);
      stopListening();
      die(new SednaError("run in a worker: expected a live estimator; got one that was disposed", { code: "disposed" }));
      await terminateWorker(worker);
    })();
    return disposing;
  };

  return {
    async load({ signal } = {}) {
      signal?.throwIfAborted();
      if (dead) throw dead;
      metadata ??= call(() => remote.load()).catch((error: unknown) => {
        metadata = undefined;
        throw error;
      });
      return metadata;
    },
    async predict(sample, { signal } = {}) {
      signal?.throwIfAborted();
      if (dead) throw dead;
      const id = calls++;
      const { posted, transfers, drop } = await post(sample);
      if (dead || signal?.aborted) {
        drop();
        throw dead ?? signal?.reason;
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
