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
  /** Checks what was granted; what it throws ends all. */
  readonly onJoined: (grant: SessionGrant) => void | Promise<void>;
  readonly onTask: (task: FederationTask) => void;
}

/** A client's place in its federation. */
export interface Following {
  /** Rejects with what cannot be healed, or the signal's reason; never resolves. */
  readonly failed: Promise<never>;
  /** Resolves when it is at rest. */
  readonly ended: Promise<void>;
  /** Which session this is; a call that is told that its session ended says which one it was. */
  session(): number;
  /** A session ended: joins again, unless that is under way. */
  lost(session: number): void;
}

/** Joins, hears the tasks, and joins again when the session ends; ends by its signal. */
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
      // What ends one session after the other must not be asked without a pause.
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
      // Not waited for: a transport that hears nothing must hold no one back.
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
