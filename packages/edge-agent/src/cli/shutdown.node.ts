/** Options of {@link onShutdown}. */
export interface ShutdownOptions {
  /** Ends the work. Not waited for longer than `deadlineMs`. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
  readonly exit: (code: number) => void;
  /** Default 10000. */
  readonly deadlineMs?: number;
}

/** A terminal's Ctrl-C reaches a process and whoever started it, who passes it on: the same wish, twice. */
const SAME_WISH_MS = 100;

/**
 * SIGTERM or SIGINT: stop, then exit with 0, after `deadlineMs` with 1. Once more: exit with 1 at once.
 * Returns the function that stops listening.
 */
export function onShutdown({ stop, exit, deadlineMs = 10_000 }: ShutdownOptions): () => void {
  let askedAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt >= SAME_WISH_MS) exit(1);
      return;
    }
    askedAt = performance.now();
    const late = setTimeout(() => exit(1), deadlineMs);
    void stop(signal)
      .then(
        () => exit(0),
        () => exit(1),
      )
      .finally(() => clearTimeout(late));
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return () => void process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
}
