/** Options of {@link createPace}. */
export interface PaceOptions {
  /** Requests a second that are let in. */
  readonly perSecond: number;
  /** Requests that may come at once after a quiet time. Default: a second's worth. */
  readonly burst?: number;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Lets requests in at a steady rate; see {@link createPace}. */
export interface Pace {
  /** Undefined lets the request in; a number is when to come back, in ms. */
  admit(): number | undefined;
}

/** Who is told to come back later than this may as well ask again. */
const MAX_MS = 60_000;

/**
 * Pace steering: a token bucket lets requests in, and each one that it turns away is given a time of its own,
 * one after the other, so that a crowd that came at once does not come back at once. Source: Bonawitz et al.,
 * "Towards Federated Learning at Scale", 2019.
 */
export function createPace({
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
  /** Up to here times have been promised to those who were turned away. */
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
