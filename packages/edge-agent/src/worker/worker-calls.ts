import { waitAtMost } from "@sedna-js/core/async";
import { SednaError } from "@sedna-js/core";
import { fromPlainError } from "@sedna-js/core/errors";
import { wrap, type Endpoint, type Remote } from "comlink";
import { onWorkerFailure, terminateWorker, workerEndpoint } from "#platform/worker";
import type { Reply } from "./protocol.ts";

/**
 * Time limit for a Worker to dispose what it exposes before it is terminated, and then for the termination,
 * in ms.
 */
const GRACE_MS = 1000;

/** Calls to a Worker, which reject if the Worker fails. */
export interface WorkerCalls<Exposed> {
  readonly remote: Remote<Exposed>;
  /** The reason why no more calls are possible: the Worker failed, or was disposed or killed. */
  readonly dead: SednaError | undefined;
  /**
   * Resolves with the value of the Worker's reply. Rejects with the Worker's error in its own class, or with
   * `run-failed` if the Worker fails meanwhile.
   */
  call<T>(send: () => Promise<Reply<T>>): Promise<T>;
  /**
   * Calls `release` and terminates the Worker when that is done or after one second, then waits at most one
   * second until the Worker has ended. A second call does nothing.
   */
  end(release: () => Promise<Reply<undefined>>): Promise<void>;
  /**
   * Terminates the Worker at once and rejects pending calls with `error`. Resolves when the Worker has ended.
   */
  kill(error: SednaError): Promise<void>;
}

/** Creates the calls to a Worker that exposes a `what`, such as "estimator" or "gallery". */
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
      new SednaError(`run in a worker: expected a running worker; ${cause.message}`, {
        code: "run-failed",
        cause,
      }),
    );
    // A failed Worker may still hold memory.
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
        // Give a Worker that hangs a moment to release its memory, then terminate it.
        if (!dead)
          await waitAtMost(
            call(release).catch(() => undefined),
            GRACE_MS,
          );
        stopListening();
        die(
          new SednaError(`run in a worker: expected a live ${what}; got one that was disposed`, {
            code: "disposed",
          }),
        );
        // A Worker in native code ends only after that returns, which may be never.
        await waitAtMost(terminateWorker(worker), GRACE_MS);
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
