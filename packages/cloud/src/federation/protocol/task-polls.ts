import type { FederationTask } from "@sedna-js/core/wire";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";

/** Questions for a task that are kept until there is another; see {@link createTaskPolls}. */
export interface TaskPolls {
  /**
   * The task, at once when it is not the one of `after`, else when it changes, or when the time is over. A
   * client's newer question ends its older one. Undefined when the server shuts down.
   * @throws the signal's reason; what {@link Federation.task} throws.
   */
  next(
    member: Member,
    options: { readonly after: number | undefined; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<FederationTask | undefined>;
  /** Answers all that wait, and keeps none from here on. */
  end(): void;
}

/** Keeps questions for the tasks of a federation. */
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
