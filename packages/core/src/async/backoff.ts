/** Options of {@link backoff}. */
export interface BackoffOptions {
  /** Failures in a row before this wait, counted from 0. */
  readonly tried: number;
  /** The first wait is at most this long, in ms; it doubles with every failure. */
  readonly baseMs: number;
  /** No wait of our own is longer, in ms. Default: no limit. */
  readonly capMs?: number;
  /** What the server asked for, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** Uniform in [0,1). */
  readonly random: () => number;
}

/** Who asks for a longer wait is not believed. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * How long to wait before the next try, in ms: full-jitter exponential back-off; where the server said when
 * to come back, not before that, and a little later, as others were told the same. Source: AWS Architecture
 * Blog, "Exponential Backoff And Jitter".
 */
export function backoff({ tried, baseMs, capMs = Infinity, retryAfterMs, random }: BackoffOptions): number {
  // Who says "now" has named no time: a date that has passed, on one of two clocks, must not make all come at
  // once for ever.
  if (!retryAfterMs) return random() * Math.min(capMs, baseMs * 2 ** tried);
  return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + random() * baseMs;
}
