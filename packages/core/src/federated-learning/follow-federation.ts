import { backoff } from "../async/backoff.ts";
import { abortable } from "../async/abortable.ts";
import type { FederationTask, SessionGrant, SessionRequest } from "../wire/federation.ts";
import type { FederationTransport } from "./federation-transport.ts";
import type { RetryPolicy } from "../async/retry.ts";
import { isRecoverable, retrySession } from "./retry-session.ts";

/** Options of {@link followFederation}. */
export interface FollowOptions {
  readonly transport: Pick<FederationTransport, "join" | "tasks">;
  readonly request: () => Omit<SessionRequest, "proof">;
  readonly signal: AbortSignal;
  readonly retrying: Required<RetryPolicy>;
  /** Called with the grant of each new session. An error that it throws is fatal. */
  readonly onJoined: (grant: SessionGrant) => void | Promise<void>;
  readonly onTask: (task: FederationTask) => void;
}

/** A client's connection to its federation. */
export interface Following {
  /** Rejects with an error that a retry cannot fix, or with the signal's reason. Never resolves. */
  readonly failed: Promise<never>;
  /** Resolves when all activity has stopped. */
  readonly ended: Promise<void>;
  /**
   * Returns the number of the current session. Pass it to `lost` if a call reports that its session has
   * ended.
   */
  session(): number;
  /** Reports that a session has ended. Joins again, unless a newer session has begun. */
  lost(session: number): void;
}

/** Joins the federation, receives its tasks, and joins again when the session ends. Stops on its signal. */
export function followFederation({
  transport,
  request,
  signal,
  retrying,
  onJoined,
  onTask,
}: FollowOptions): Following {
  const at = { session: 0, over: new AbortController() };

  const follow = async (): Promise<never> => {
    for (let tried = 0; ; tried++) {
      const grant = await retrySession(() => transport.join(request(), { signal }), {
        ...retrying,
        action: "join the federation",
        signal,
      });
      at.session++;
      at.over = new AbortController();
      await onJoined(grant);
      try {
        await hear(AbortSignal.any([signal, at.over.signal]), () => (tried = 0));
      } catch (error) {
        if (!at.over.signal.aborted && !isRecoverable(error)) throw error;
      }
      signal.throwIfAborted();
      // Wait, so that an aggregator that ends one session after the other is not flooded with requests.
      await retrying.wait(
        backoff({ tried, baseMs: retrying.baseMs, capMs: retrying.capMs, random: retrying.random }),
        signal,
      );
    }
  };

  const hear = async (until: AbortSignal, onFirst: () => void): Promise<void> => {
    const tasks = transport.tasks({ signal: until })[Symbol.asyncIterator]();
    try {
      for (
        let next = await abortable(tasks.next(), until);
        !next.done;
        next = await abortable(tasks.next(), until)
      ) {
        onFirst();
        onTask(next.value);
      }
    } finally {
      // Do not wait for it: a blocked transport must not delay the caller.
      Promise.resolve(tasks.return?.()).catch(() => {});
    }
  };

  const failed = follow();
  return {
    failed,
    ended: failed.catch(() => {}),
    session: () => at.session,
    lost: (session) => {
      if (session === at.session) at.over.abort();
    },
  };
}
