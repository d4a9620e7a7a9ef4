/** Options of {@link createPaceLimiter}. */
export interface PaceOptions {
  /** Requests admitted per second. */
  readonly perSecond: number;
  /**
   * Requests that may arrive at once after an idle period. Default: the requests of one second, at least 1.
   */
  readonly burst?: number;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Admits requests at a steady rate; see {@link createPaceLimiter}. */
export interface Pace {
  /** Returns `undefined` to admit the request, or the delay in ms after which to retry. */
  admit(): number | undefined;
}

/** Maximum retry delay. A client with a longer delay may as well retry after this time. */
const MAX_MS = 60_000;

/**
 * Creates a pace: a token bucket admits requests, and each rejected request gets its own retry time, one
 * after the other, so that clients that arrived at once do not retry at once (pace steering). Source:
 * Bonawitz et al., "Towards Federated Learning at Scale", 2019.
 */
export function createPaceLimiter({
  perSecond,
  burst = Math.max(1, perSecond),
  now = () => performance.now(),
}: PaceOptions): Pace {
  if (!(perSecond > 0 && burst >= 1))
    throw new RangeError(
      `set a pace: expected more than 0 requests a second and a burst from 1 up; got ${perSecond} and ${burst}`,
    );
  let tokens = burst;
  let filledAt = now();
  /** Latest retry time assigned to a rejected request, in ms. */
  let promisedTo = filledAt;

  return {
    admit() {
      const time = now();
      tokens = Math.min(burst, tokens + (Math.max(0, time - filledAt) * perSecond) / 1000);
      filledAt = time;
      if (tokens >= 1) {
        tokens--;
        return undefined;
      }
      promisedTo = Math.max(promisedTo, time) + 1000 / perSecond;
      return Math.min(promisedTo - time, MAX_MS);
    },
  };
}
