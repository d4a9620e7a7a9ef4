import { SednaError } from "../errors.ts";

/** Runs tasks one after the other; see {@link createSerialQueue}. */
export interface SerialQueue {
  /** Waits for its turn, then runs `task`. An aborted task that has not started leaves the queue. */
  run<T>(task: () => Promise<T>, options?: { readonly signal?: AbortSignal }): Promise<T>;
  /** Tasks waiting or running. */
  readonly size: number;
  /** Rejects everything that waits, and all that comes later; resolves when the running task has ended. */
  close(): Promise<void>;
}

/**
 * A queue that runs one task at a time. ONNX Runtime rejects or corrupts overlapping runs of a session,
 * and chaining plain promises would let one rejection poison every later run: here each task sees only
 * that its predecessor has ended.
 */
export function createSerialQueue(): SerialQueue {
  let tail: Promise<unknown> = Promise.resolve();
  let size = 0;
  let closed = false;

  return {
    get size() {
      return size;
    },
    async run(task, { signal } = {}) {
      if (closed) throw disposed();
      signal?.throwIfAborted();
      const before = tail;
      let done!: () => void;
      tail = new Promise<void>((resolve) => (done = resolve));
      size++;
      try {
        await before;
        if (closed) throw disposed();
        signal?.throwIfAborted();
        return await task();
      } finally {
        size--;
        done();
      }
    },
    async close() {
      closed = true;
      await tail;
    },
  };
}

function disposed(): SednaError {
  return new SednaError("run a model: expected a live estimator; got one that was disposed", {
    code: "disposed",
  });
}
