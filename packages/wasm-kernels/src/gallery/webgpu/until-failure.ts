/** Work that one failure from outside ends, at once and for good. */
export interface UntilFailure {
  /** The work's result; rejects with the failure when that comes first, or came before. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** The first failure counts. */
  fail(error: Error): void;
}

/** New {@link UntilFailure}, without a failure. */
export function untilFailure(): UntilFailure {
  let failure: Error | undefined;
  const running = new Set<(error: Error) => void>();

  return {
    async run(work) {
      if (failure) throw failure;
      let abandon!: (error: Error) => void;
      const failed = new Promise<never>((_, reject) => (abandon = reject));
      running.add(abandon);
      try {
        return await Promise.race([work(), failed]);
      } finally {
        running.delete(abandon);
      }
    },
    fail(error) {
      failure ??= error;
      for (const abandon of running) abandon(failure);
      running.clear();
    },
  };
}
