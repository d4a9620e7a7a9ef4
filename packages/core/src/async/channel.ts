/** Passes values from producers to one consumer; see {@link createChannel}. */
export interface Channel<T> {
  /** Queues a value. Resolves when the queue has capacity for more. */
  send(value: T): Promise<void>;
  /** Ends the channel. Values that were sent can still be received. */
  close(): void;
  /** Returns the next value, or `undefined` if the channel is closed and empty. */
  receive(): Promise<{ readonly value: T } | undefined>;
  /** Returns all queued values without waiting. */
  drain(): T[];
}

/**
 * Creates a queue of at most `capacity` values: producers wait while it is full, the consumer while it is
 * empty.
 */
export function createChannel<T>({ capacity }: { readonly capacity: number }): Channel<T> {
  const values: T[] = [];
  const waiters: (() => void)[] = [];
  let closed = false;

  const changed = (): void => {
    for (const wake of waiters.splice(0)) wake();
  };
  const change = (): Promise<void> => new Promise((resolve) => waiters.push(resolve));

  return {
    async send(value) {
      values.push(value);
      changed();
      while (values.length > capacity && !closed) await change();
    },
    close() {
      closed = true;
      changed();
    },
    async receive() {
      while (values.length === 0 && !closed) await change();
      if (values.length === 0) return undefined;
      const value = values.shift() as T;
      changed();
      return { value };
    },
    drain() {
      const rest = values.splice(0);
      changed();
      return rest;
    },
  };
}
