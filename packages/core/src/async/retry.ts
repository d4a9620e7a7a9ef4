import { SednaError } from "../errors.ts";
import { abortable } from "./abortable.ts";
import { backoff } from "./backoff.ts";
import { delay } from "./delay.ts";

/** A failed attempt that is followed by another. */
export interface RetryEvent {
  /** The options' `action`. */
  readonly action: string;
  readonly error: SednaError;
  readonly retryInMs: number;
}

/** How attempts are repeated. */
export interface RetryPolicy {
  /** Upper limit of the first delay, in ms; it doubles with each attempt. */
  readonly baseMs: number;
  /** Upper limit of every delay, in ms. Default: no limit. */
  readonly capMs?: number;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Waits; resolves early if the signal is aborted. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onRetry?: (retry: RetryEvent) => void;
}

/** Options of {@link retry}. */
export interface RetryOptions extends RetryPolicy {
  /** What is being done, for messages: "send the update". */
  readonly action?: string;
  readonly signal: AbortSignal;
  /** Attempts after the first. Default: no limit. */
  readonly maxRetries?: number;
  /** Time for all attempts and delays together, in ms. Default: no limit. */
  readonly deadlineMs?: number;
  /** Clock of the deadline, in ms. Default `performance.now`. */
  readonly now?: () => number;
  /** Which errors are retried. Default: those that are `retryable`. */
  readonly isRetryable?: (error: SednaError) => boolean;
  /** True if the delays start from the beginning after this error. */
  readonly resetsBackoff?: (error: SednaError) => boolean;
  /** Called before the delay, for errors that end something. */
  readonly onError?: (error: SednaError) => void;
}

/**
 * Repeats `work` with full-jitter exponential backoff until it succeeds.
 *
 * @throws The signal's reason, or the last error if it is not retried.
 *
 * @example
 * ```ts
 * import { retry } from "@sedna-js/core/async";
 * import { SednaError } from "@sedna-js/core";
 *
 * let attempts = 0;
 * const result = await retry(
 *   async () => {
 *     if (++attempts < 3) throw new SednaError("busy", { code: "cloud-busy", retryable: true });
 *     return "done";
 *   },
 *   { baseMs: 1, signal: new AbortController().signal },
 * );
 * console.log(result, attempts); // => done 3
 * ```
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const {
    action = "",
    signal,
    maxRetries = Infinity,
    deadlineMs = Infinity,
    now = () => performance.now(),
  } = options;
  const { isRetryable = (error) => error.retryable, resetsBackoff, onError, onRetry } = options;
  const { baseMs, capMs = Infinity, random = Math.random, wait = delay } = options;
  const started = now();
  let hasReset = false;
  for (let tried = 0, retries = 0; ; tried++, retries++) {
    signal.throwIfAborted();
    try {
      return await abortable(work(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SednaError) || !isRetryable(error) || retries >= maxRetries) throw error;
      onError?.(error);
      // Two such errors in a row do not reset twice: the delays must grow again.
      const resets = resetsBackoff?.(error) ?? false;
      if (resets && !hasReset) tried = 0;
      hasReset = resets;
      const retryInMs = backoff({ tried, baseMs, capMs, random, retryAfterMs: error.retryAfterMs });
      if (now() - started + retryInMs >= deadlineMs) throw error;
      onRetry?.({ action, error, retryInMs });
      await wait(retryInMs, signal);
    }
  }
}
