import { SednaError } from "../errors.ts";

/** Runs tasks one after the other; see {@link createSerialQueue}. */
export interface SerialQueue {
  /** Runs `task` after all earlier tasks. A task that is aborted before it starts is skipped. */
  run<T>(task: () => Promise<T>, options?: { readonly signal?: AbortSignal }): Promise<T>;
  /** Number of waiting and running tasks. */
  readonly size: number;
  /** Rejects all waiting and later tasks. Resolves when the running task has ended. */
  close(): Promise<void>;
}

/**
 * Creates a queue that runs one task at a time. ONNX Runtime rejects or corrupts overlapping runs of a
 * session. With a plain chain of promises, one rejection would reject every later run; here each task only
 * waits for its predecessor to settle.
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
      signal?.throwIfAborted();
      if (closed) throw disposed();
      const before = tail;
      let done!: () => void;
      tail = new Promise<void>((resolve) => (done = resolve));
      size++;
      try {
        await before;
        signal?.throwIfAborted();
        if (closed) throw disposed();
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
