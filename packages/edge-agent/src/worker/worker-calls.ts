import { SednaError } from "@sedna-js/core";
import { fromPlainError } from "@sedna-js/core/errors";
import { wrap, type Endpoint, type Remote } from "comlink";
import { onWorkerFailure, terminateWorker, workerEndpoint } from "#platform/worker";
import type { Reply } from "./protocol.ts";

/**
 * How long a Worker has to dispose what it exposes before it is ended, and then to be gone before nobody
 * waits for it any more.
 */
const GRACE_MS = 1000;

/** Calls to a Worker that its death ends too. */
export interface WorkerCalls<Exposed> {
  readonly remote: Remote<Exposed>;
  /** Why nothing can be asked any more: the Worker died or was ended. */
  readonly dead: SednaError | undefined;
  /** What the Worker replies; its errors in their own classes, and `run-failed` when it dies meanwhile. */
  call<T>(send: () => Promise<Reply<T>>): Promise<T>;
  /**
   * Calls `release`, and ends the Worker when that is done or a second has passed; waits a second at most
   * until it is gone. A second call does nothing.
   */
  end(release: () => Promise<Reply<undefined>>): Promise<void>;
  /** Ends the Worker at once and rejects with `error` what waits for it. Resolves when it is gone. */
  kill(error: SednaError): Promise<void>;
}

/** The calls to a Worker that exposes a thing named `what`: "estimator", "gallery". */
export function workerCalls<Exposed>(
  worker: unknown,
  { what }: { readonly what: string },
): WorkerCalls<Exposed> {
  const waiting = new Set<(error: Error) => void>();
  let dead: SednaError | undefined;
  let ending: Promise<void> | undefined;

  const die = (error: SednaError): void => {
    dead ??= error;
    for (const reject of waiting) reject(dead);
    waiting.clear();
  };
  const stopListening = onWorkerFailure(worker, (cause) => {
    die(
      new SednaError(`run in a worker: expected it to live; ${cause.message}`, { code: "run-failed", cause }),
    );
    // Whatever is left of it keeps memory and answers nobody.
    void terminateWorker(worker);
  });

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

  return {
    remote: wrap<Exposed>(workerEndpoint(worker) as Endpoint),
    get dead() {
      return dead;
    },
    call,
    end(release) {
      ending ??= (async () => {
        // A Worker that hangs gets a moment to let go of its memory, then it is ended.
        if (!dead) await withinGrace(call(release).catch(() => undefined));
        stopListening();
        die(
          new SednaError(`run in a worker: expected a live ${what}; got one that was disposed`, {
            code: "disposed",
          }),
        );
        // One that is in native code is not gone before it returns, which may be never.
        await withinGrace(terminateWorker(worker));
      })();
      return ending;
    },
    kill(error) {
      stopListening();
      die(error);
      return terminateWorker(worker);
    },
  };
}

/** Waits for it, but not for ever. */
async function withinGrace(work: Promise<unknown>): Promise<void> {
  let timer: unknown;
  const grace = new Promise((resolve) => (timer = setTimeout(() => resolve(undefined), GRACE_MS)));
  await Promise.race([work, grace]);
  clearTimeout(timer);
}
