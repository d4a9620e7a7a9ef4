import { SednaError } from "@sedna-js/core";
import { createSerialQueue, abortable } from "@sedna-js/core/async";

/** What a piece of work knows of its caller. */
export interface Leave {
  /** Aborted when the caller leaves, or the learner is disposed. */
  readonly signal: AbortSignal;
  /** From here on the work cannot be aborted any more: what it changes, its caller is told of. */
  settle(): void;
}

/** The calls of something that learns, until it is disposed. */
export interface LearnerLife {
  /** Runs work whose caller may leave. */
  during<T>(signal: AbortSignal | undefined, work: (leave: Leave) => Promise<T>): Promise<T>;
  /** The same, one after the other. Who leaves does not wait for those before. */
  inTurn<T>(signal: AbortSignal | undefined, work: (leave: Leave) => Promise<T>): Promise<T>;
  /** @throws {SednaError} `disposed`. */
  assertLive(): void;
  /** Aborts all that runs, then calls `release`. A second call waits for the same. */
  end(release: () => Promise<void>): Promise<void>;
}

/** A new life of `what`. */
export function learnerLife(what: string): LearnerLife {
  const life = new AbortController();
  const turns = createSerialQueue();
  let ending: Promise<void> | undefined;

  const during: LearnerLife["during"] = async (given, work) => {
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
        life.abort(
          new SednaError(`use ${what}: expected a live estimator; got one that was disposed`, {
            code: "disposed",
          }),
        );
        await turns.close();
        await release();
      })();
      return ending;
    },
  };
}
