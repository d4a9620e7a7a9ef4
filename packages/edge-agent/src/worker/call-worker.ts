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
  /** Any other question that the Worker may cancel by its number. */
  ask<T>(send: (id: number) => Promise<Reply<T>>, signal: AbortSignal | undefined): Promise<T>;
}

/**
 * What a Worker answers. A frame is shared with it, not taken: the caller's own stays usable. A caller who
 * gives up is rejected when the Worker has let go of the question.
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

/** The sample as something to post; `drop` gives back what was shared and then not posted. */
export async function postedSample(
  sample: unknown,
): Promise<{ readonly posted: PostedSample; readonly transfers: never[]; drop(): void }> {
  if (!isFrame(sample)) return { posted: { kind: "plain", sample }, transfers: [], drop() {} };
  const { handle, transfer: transfers, close } = await shareFrame(sample);
  return { posted: { kind: "frame", handle }, transfers: transfers as never[], drop: close };
}
