import { abortable, createLifetime, createSerialQueue } from "@sedna-js/core/async";

/** Context of a unit of work. */
export interface Leave {
  /** Aborted when the caller aborts or the learner is disposed. */
  readonly signal: AbortSignal;
  /** Makes the rest of the work uncancelable, so that its caller receives the result of its changes. */
  settle(): void;
}

/** Runs the calls of a learner until the learner is disposed. */
export interface LearnerLifecycle {
  /** Runs work that the caller may abort. */
  during<T>(signal: AbortSignal | undefined, work: (leave: Leave) => Promise<T>): Promise<T>;
  /** Runs work like `during`, but one at a time. An aborted call does not wait for earlier ones. */
  inTurn<T>(signal: AbortSignal | undefined, work: (leave: Leave) => Promise<T>): Promise<T>;
  /** @throws {SednaError} `disposed` if the learner was disposed. */
  assertLive(): void;
  /** Aborts all running work, then calls `release`. Further calls return the same promise. */
  end(release: () => Promise<void>): Promise<void>;
}

/** Creates the lifecycle of a learner. `what` names the learner in error messages. */
export function createLearnerLifecycle(what: string): LearnerLifecycle {
  const life = createLifetime(`use ${what}`);
  const turns = createSerialQueue();
  let ending: Promise<void> | undefined;

  const during: LearnerLifecycle["during"] = async (given, work) => {
    life.signal.throwIfAborted();
    given?.throwIfAborted();
    const controller = new AbortController();
    const leave = (): void => controller.abort(given!.reason);
    const end = (): void => controller.abort(life.signal.reason);
    const settle = (): void => {
      given?.removeEventListener("abort", leave);
      life.signal.removeEventListener("abort", end);
    };
    given?.addEventListener("abort", leave, { once: true });
    life.signal.addEventListener("abort", end, { once: true });
    try {
      return await abortable(work({ signal: controller.signal, settle }), controller.signal);
    } finally {
      settle();
    }
  };

  return {
    during,
    inTurn: (given, work) => during(given, (leave) => turns.run(() => work(leave), { signal: leave.signal })),
    assertLive: () => life.signal.throwIfAborted(),
    end(release) {
      ending ??= (async () => {
        life.end();
        await turns.close();
        await release();
      })();
      return ending;
    },
  };
}
