import { SednaError } from "@sedna-js/core";

/** Options of {@link createBatcher}. */
export interface BatcherOptions<Sample, Result> {
  /** Answers samples together, in their order. */
  readonly run: (samples: readonly Sample[]) => Promise<readonly Result[]>;
  /** Samples in one run. Default 8. */
  readonly maxBatch?: number;
  /** How long the first sample of a batch waits for company, in ms. Default 2. */
  readonly maxDelayMs?: number;
  /** Samples that may wait; more are turned away. Default 64. */
  readonly maxQueue?: number;
  /** Told of each run. */
  readonly onRun?: (event: { readonly size: number; readonly seconds: number }) => void;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Collects samples into batches; see {@link createBatcher}. */
export interface Batcher<Sample, Result> {
  /**
   * @throws {SednaError} `cloud-busy` with `retryAfterMs` when the queue is full, `disposed` after `close`.
   */
  submit(sample: Sample, options?: { readonly signal?: AbortSignal }): Promise<Result>;
  /** Samples waiting, without those running. */
  readonly waiting: number;
  /** Takes no more; resolves when all that was taken has been answered. */
  close(): Promise<void>;
}

interface Waiting<Sample, Result> {
  readonly sample: Sample;
  /** It is being run: its client can no longer take it back. */
  taken(): void;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Dynamic batching behind a bounded queue: one run at a time, each with what has come meanwhile. Where a
 * batch fails, its samples are run one by one, so that a bad one harms nobody else. Source: the dynamic
 * batcher and queue policy of the Triton Inference Server.
 */
export function createBatcher<Sample, Result>({
  run,
  maxBatch = 8,
  maxDelayMs = 2,
  maxQueue = 64,
  onRun,
  now = () => performance.now(),
}: BatcherOptions<Sample, Result>): Batcher<Sample, Result> {
  const queue: Waiting<Sample, Result>[] = [];
  let working: Promise<void> | undefined;
  let closed = false;
  let full: () => void = () => {};
  let secondsPerRun = 0.05;

  const timed = async (samples: readonly Sample[]): Promise<readonly Result[]> => {
    const started = now();
    const results = await run(samples);
    const seconds = (now() - started) / 1000;
    secondsPerRun = 0.8 * secondsPerRun + 0.2 * seconds;
    onRun?.({ size: samples.length, seconds });
    return results;
  };

  const answer = async (batch: readonly Waiting<Sample, Result>[]): Promise<void> => {
    try {
      const results = await timed(batch.map(({ sample }) => sample));
      for (const [i, one] of batch.entries()) one.resolve(results[i]!);
    } catch (error) {
      if (batch.length === 1) return batch[0]!.reject(error);
      for (const one of batch) await answer([one]);
    }
  };

  const company = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, maxDelayMs);
      full = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      if (queue.length < maxBatch && maxBatch > 1 && maxDelayMs > 0 && !closed) await company();
      const batch = queue.splice(0, maxBatch);
      for (const one of batch) one.taken();
      if (batch.length > 0) await answer(batch);
    }
    working = undefined;
  };

  return {
    get waiting() {
      return queue.length;
    },
    async submit(sample, { signal } = {}) {
      if (closed)
        throw new SednaError("queue a sample: expected a running service; it is shutting down", {
          code: "disposed",
        });
      signal?.throwIfAborted();
      if (queue.length >= maxQueue) {
        const retryAfterMs = Math.ceil((1000 * secondsPerRun * queue.length) / maxBatch);
        throw new SednaError(`queue a sample: expected fewer than ${maxQueue} waiting; the queue is full`, {
          code: "cloud-busy",
          retryable: true,
          retryAfterMs,
        });
      }
      return new Promise<Result>((resolve, reject) => {
        // Who leaves gives up his place: the queue is for those who wait.
        const leave = (): void => {
          const at = queue.indexOf(one);
          if (at >= 0) queue.splice(at, 1);
          reject(signal?.reason);
        };
        const one: Waiting<Sample, Result> = {
          sample,
          resolve,
          reject,
          taken: () => signal?.removeEventListener("abort", leave),
        };
        signal?.addEventListener("abort", leave, { once: true });
        queue.push(one);
        if (queue.length >= maxBatch) full();
        working ??= Promise.resolve().then(work);
      });
    },
    async close() {
      closed = true;
      full();
      await working;
    },
  };
}
