import type { FederationTask } from "@sedna-js/core/wire";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";

/** Long polls for tasks; see {@link createTaskPolls}. */
export interface TaskPolls {
  /**
   * Resolves with the task: at once if its number is not `after`, else when the task changes or the time is
   * over. A newer poll of a client ends its older one. Resolves with `undefined` when the server shuts down.
   * @throws The signal's reason, and the errors of {@link Federation.task}.
   */
  next(
    member: Member,
    options: { readonly after: number | undefined; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<FederationTask | undefined>;
  /** Ends all pending polls, and starts no new ones. */
  end(): void;
}

/** Creates the long polls for the tasks of a federation. */
export function createTaskPolls({
  federation,
  maxWaitMs,
}: {
  readonly federation: Federation;
  readonly maxWaitMs: number;
}): TaskPolls {
  const waiting = new Map<string, () => void>();
  let ended = false;
  return {
    async next(member, { after, waitMs, signal }) {
      if (ended) return undefined;
      const task = federation.task(member);
      waiting.get(member.client)?.();
      if (after === undefined || task.seq !== after || !(waitMs > 0)) return task;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(maxWaitMs, waitMs));
        const unsubscribe = federation.onTask(member, done);
        signal.addEventListener("abort", done, { once: true });
        waiting.set(member.client, done);
        if (signal.aborted) done();
        function done(): void {
          clearTimeout(timer);
          unsubscribe();
          signal.removeEventListener("abort", done);
          if (waiting.get(member.client) === done) waiting.delete(member.client);
          resolve();
        }
      });
      signal.throwIfAborted();
      return ended ? undefined : federation.task(member);
    },
    end() {
      ended = true;
      for (const done of waiting.values()) done();
    },
  };
}
