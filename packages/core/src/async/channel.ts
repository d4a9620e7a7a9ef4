/** Hands values from producers to one consumer; see {@link createChannel}. */
export interface Channel<T> {
  /** Queues a value; resolves when there is room for more. */
  send(value: T): Promise<void>;
  /** No more values; what was sent can still be received. */
  close(): void;
  /** The next value, or undefined when the channel is closed and empty. */
  receive(): Promise<{ readonly value: T } | undefined>;
  /** Takes everything that waits, without waiting. */
  drain(): T[];
}

/**
 * A queue of at most `capacity` values: a producer waits while it is full, the consumer while it is empty.
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
