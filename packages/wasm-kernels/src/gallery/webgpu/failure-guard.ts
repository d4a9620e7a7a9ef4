/** Work that an external failure ends immediately and permanently. */
export interface FailureGuard {
  /**
   * Runs the work and returns its result. Rejects with the failure if the failure occurs first or has already
   * occurred.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Records the failure and rejects all running work. Only the first failure is used. */
  fail(error: Error): void;
}

/** Creates {@link FailureGuard} without a failure. */
export function createFailureGuard(): FailureGuard {
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
