/** Timers of the platform, or of a test. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

// A browser rejects its own `setTimeout` as a method of another object.
const systemTimers: Timers = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

/**
 * Waits for `work`, for at most `ms` milliseconds. The work continues afterwards.
 *
 * @returns The result of the work, or `undefined` if it has not ended in time.
 * @throws What `work` rejects with in time.
 *
 * @example
 * ```ts
 * import { waitAtMost } from "@sedna-js/core/async";
 *
 * const result = await waitAtMost(new Promise(() => {}), 5);
 * console.log(result === undefined); // => true
 * ```
 */
export async function waitAtMost<T>(
  work: Promise<T>,
  ms: number,
  timers: Timers = systemTimers,
): Promise<T | undefined> {
  let timer: unknown;
  const late = new Promise<undefined>((resolve) => (timer = timers.setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    timers.clearTimeout(timer);
  }
}
