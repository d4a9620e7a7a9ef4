import type { Tensors } from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import { transfer } from "comlink";
import { shareFrame } from "#platform/frames";
import type { PostedSample, RemotePredictor, Reply } from "./protocol.ts";
import type { WorkerCalls } from "./worker-calls.ts";

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Questions to a Worker; see {@link callWorker}. */
export interface WorkerResponses {
  predict(sample: unknown, options?: CallOptions): Promise<unknown>;
  run(feeds: Tensors, options?: CallOptions): Promise<Tensors>;
  /** Sends any other call, which can be canceled by its number. */
  ask<T>(send: (id: number) => Promise<Reply<T>>, signal: AbortSignal | undefined): Promise<T>;
}

/**
 * Creates the calls to a Worker's estimator. A frame is shared with the Worker, so the caller's frame stays
 * usable. A call that the caller aborts rejects after the Worker has stopped it.
 */
export function callWorker(calls: WorkerCalls<RemotePredictor>): WorkerResponses {
  const { remote } = calls;
  let questions = 0;

  const ask = async <T>(
    send: (id: number) => Promise<Reply<T>>,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    const id = questions++;
    const cancel = (): void => void remote.cancel(id);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await calls.call(() => send(id));
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };

  return {
    async predict(sample, { signal } = {}) {
      signal?.throwIfAborted();
      if (calls.dead) throw calls.dead;
      const { posted, transfers, drop } = await postedSample(sample);
      if (calls.dead || signal?.aborted) {
        drop();
        throw calls.dead ?? signal?.reason;
      }
      return ask((id) => remote.predict(id, transfer(posted, transfers)), signal);
    },
    async run(feeds, { signal } = {}) {
      signal?.throwIfAborted();
      return ask((id) => remote.run(id, feeds), signal);
    },
    ask,
  };
}

/** Returns a sample in a form that can be posted. `drop` releases what was shared if it is not posted. */
export async function postedSample(
  sample: unknown,
): Promise<{ readonly posted: PostedSample; readonly transfers: never[]; drop(): void }> {
  if (!isFrame(sample)) return { posted: { kind: "plain", sample }, transfers: [], drop() {} };
  const { handle, transfer: transfers, close } = await shareFrame(sample);
  return { posted: { kind: "frame", handle }, transfers: transfers as never[], drop: close };
}
