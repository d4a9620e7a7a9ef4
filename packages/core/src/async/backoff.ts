/** Options of {@link backoff}. */
export interface BackoffOptions {
  /** Number of consecutive failures before this delay, from 0. */
  readonly tried: number;
  /** Maximum of the first delay, in ms. It doubles with every failure. */
  readonly baseMs: number;
  /** Maximum delay without `retryAfterMs`, in ms. Default: no limit. */
  readonly capMs?: number;
  /** Delay that the server asked for, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** Uniform draws in [0,1). */
  readonly random: () => number;
}

/** Longer delays from a server are capped at this, in ms. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Returns the delay before the next attempt, in ms: exponential backoff with full jitter. If the server sent
 * a delay, returns at least that delay (at most one hour) plus jitter, because other clients received the
 * same delay. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export function backoff({ tried, baseMs, capMs = Infinity, retryAfterMs, random }: BackoffOptions): number {
  // Ignore a delay of 0: a date in the past, due to different clocks, must not make all clients retry at once
  // forever.
  if (!retryAfterMs) return random() * Math.min(capMs, baseMs * 2 ** tried);
  return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + random() * baseMs;
}
