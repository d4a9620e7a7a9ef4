/**
 * Runs tasks in the order of the calls: reads concurrently, each write alone. A failed task does not affect
 * other tasks.
 */
export interface ReadWriteLock {
  /** Runs the task after all earlier writes. */
  read<T>(task: () => T | Promise<T>): Promise<T>;
  /** Runs the task after all earlier tasks. */
  write<T>(task: () => T | Promise<T>): Promise<T>;
}

/** Creates {@link ReadWriteLock}. */
export function createReadWriteLock(): ReadWriteLock {
  let written: Promise<unknown> = Promise.resolve();
  const reading = new Set<Promise<unknown>>();

  return {
    read(task) {
      const turn = written.then(task);
      const end = () => void reading.delete(turn);
      reading.add(turn);
      turn.then(end, end);
      return turn;
    },
    write(task) {
      const turn = Promise.allSettled([written, ...reading]).then(task);
      written = turn.catch(() => undefined);
      return turn;
    },
  };
}
