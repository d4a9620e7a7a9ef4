import { SednaError } from "../errors.ts";
import { backoff } from "./backoff.ts";
import { abortable } from "./abortable.ts";

/** How tries are repeated. */
export interface Retrying {
  /** The first wait is at most this long, in ms; it doubles. */
  readonly baseMs: number;
  /** No wait of our own is longer, in ms. */
  readonly capMs: number;
  /** Uniform in [0,1). */
  readonly random: () => number;
  /** Waits; ends early, without an error, when the signal says so. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onRetry: (retry: {
    readonly action: string;
    readonly error: SednaError;
    readonly retryInMs: number;
  }) => void;
}

/** Options of {@link keepTrying}. */
export interface RetryOptions extends Retrying {
  /** What is being done, for people: "send the update". */
  readonly action: string;
  readonly signal: AbortSignal;
  /** Ends what an error says is over, before the wait. */
  readonly onError?: (error: SednaError) => void;
}

/** True for a failure that another try may heal. */
export function isRecoverable(error: unknown): error is SednaError {
  return error instanceof SednaError && (error.retryable || error.code === "session-ended");
}

/** Tries until it works, with full-jitter exponential back-off. @throws the signal's reason, or what no other try would heal. */
export async function retry<T>(
  work: () => Promise<T>,
  { action, signal, baseMs, capMs, random, wait, onRetry, onError }: RetryOptions,
): Promise<T> {
  let hasEnded = false;
  for (let tried = 0; ; tried++) {
    signal.throwIfAborted();
    try {
      return await abortable(work(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isRecoverable(error)) throw error;
      onError?.(error);
      // Whoever ends a session is there again: the waits of an outage are over, once.
      if (error.code === "session-ended" && !hasEnded) tried = 0;
      hasEnded = error.code === "session-ended";
      const retryInMs = backoff({ tried, baseMs, capMs, random, retryAfterMs: error.retryAfterMs });
      onRetry({ action, error, retryInMs });
      await wait(retryInMs, signal);
    }
  }
}
