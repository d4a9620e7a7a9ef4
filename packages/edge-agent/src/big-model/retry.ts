import { backoff, SednaError } from "@sedna-js/core";
import { pause } from "../async/delay.ts";

/** Options of {@link retryWithin}. */
export interface RetryOptions {
  /** Tries after the first. */
  readonly retries: number;
  /** All tries and waits together, in ms. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** First wait at most this long, in ms; it doubles with every try. */
  readonly baseMs?: number;
  /** Uniform in [0,1). */
  readonly random?: () => number;
  readonly now?: () => number;
}

/**
 * Tries again while the error says that it may help and the deadline leaves time.
 *
 * @throws the last error.
 */
export async function retryWithin<T>(
  attempt: () => Promise<T>,
  {
    retries,
    deadlineMs,
    signal,
    baseMs = 50,
    random = Math.random,
    now = () => performance.now(),
  }: RetryOptions,
): Promise<T> {
  const started = now();
  for (let tried = 0; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      const again = error instanceof SednaError && error.retryable && tried < retries && !signal.aborted;
      if (!again) throw error;
      const wait = backoff({ tried, baseMs, retryAfterMs: error.retryAfterMs, random });
      if (now() - started + wait >= deadlineMs) throw error;
      await pause(wait, signal);
      signal.throwIfAborted();
    }
  }
}
