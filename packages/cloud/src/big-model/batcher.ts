import { SednaError } from "@sedna-js/core";

/** Options of {@link createBatcher}. */
export interface BatcherOptions<Sample, Result> {
  /** Processes samples together and returns their results in the same order. */
  readonly run: (samples: readonly Sample[]) => Promise<readonly Result[]>;
  /** Maximum number of samples per run. Default 8. */
  readonly maxBatch?: number;
  /** Time that the first sample of a batch waits for more samples, in ms. Default 2. */
  readonly maxDelayMs?: number;
  /** Maximum number of waiting samples; more are rejected. Default 64. */
  readonly maxQueue?: number;
  /** Called after each successful run with its number of samples and its duration. */
  readonly onRun?: (event: { readonly size: number; readonly seconds: number }) => void;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Collects samples into batches; see {@link createBatcher}. */
export interface Batcher<Sample, Result> {
  /**
   * Queues a sample and resolves to its result.
   * @throws {SednaError} `cloud-busy` with `retryAfterMs` if the queue is full; `disposed` after `close`.
   */
  submit(sample: Sample, options?: { readonly signal?: AbortSignal }): Promise<Result>;
  /** Number of waiting samples, without those that are running. */
  readonly waiting: number;
  /** Rejects new samples; resolves when all accepted samples are done. */
  close(): Promise<void>;
}

interface Waiting<Sample, Result> {
  readonly sample: Sample;
  /** Called when the sample's run starts: from then on its caller can no longer cancel it. */
  taken(): void;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Creates a batcher with dynamic batching and a bounded queue. It runs one batch at a time, with the samples
 * that arrived in the meantime. If a batch fails, its samples are run one by one, so that a bad sample does
 * not fail the others. Source: the dynamic batcher and queue policy of the Triton Inference Server.
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
        // A caller that aborts frees its slot in the queue.
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
