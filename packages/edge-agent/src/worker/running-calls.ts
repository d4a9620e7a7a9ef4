/** Calls in a Worker that its owner may cancel. */
export interface RunningCalls {
  /** Runs work under the number that the owner assigned to the call. */
  run<T>(id: number, work: (options: { readonly signal: AbortSignal }) => Promise<T>): Promise<T>;
  cancel(id: number): void;
}

/** Creates an empty set of running calls. */
export function runningCalls(): RunningCalls {
  const running = new Map<number, AbortController>();
  return {
    async run(id, work) {
      const controller = new AbortController();
      running.set(id, controller);
      try {
        return await work({ signal: controller.signal });
      } finally {
        running.delete(id);
      }
    },
    cancel: (id) => running.get(id)?.abort(),
  };
}
