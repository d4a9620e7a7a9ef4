/** Options of {@link onShutdown}. */
export interface ShutdownOptions {
  /** Stops the work. Waited for at most `deadlineMs`. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
  readonly exit: (code: number) => void;
  /** Time limit for `stop`, in ms. Default 10000. */
  readonly deadlineMs?: number;
}

/**
 * Time within which a second signal counts as a repetition, in ms. A terminal sends Ctrl-C both to this
 * process and to its parent, which forwards it.
 */
const SAME_WISH_MS = 100;

/**
 * Handles SIGTERM and SIGINT: calls `stop`, then exits with 0 if it resolved, or with 1 if it rejected or
 * exceeded `deadlineMs`. A second signal exits with 1 at once.
 *
 * @returns A function that removes the signal handlers.
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
