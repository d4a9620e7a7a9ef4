/** Tasks in the order in which they were given: reads run side by side, a write alone. A task that fails ends only itself. */
export interface ReadWriteTurns {
  /** Runs after all writes given before. */
  read<T>(task: () => T | Promise<T>): Promise<T>;
  /** Runs after all tasks given before. */
  write<T>(task: () => T | Promise<T>): Promise<T>;
}

/** New {@link ReadWriteTurns}. */
export function readWriteTurns(): ReadWriteTurns {
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
