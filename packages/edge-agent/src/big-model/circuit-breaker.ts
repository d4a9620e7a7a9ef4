import { SednaError } from "@sedna-js/core";

/** Options of {@link createCircuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Consecutive failures that open the circuit. Default 5. */
  readonly failures?: number;
  /** Time for which the circuit stays open before one probe is admitted, in ms. Default 5000. */
  readonly resetMs?: number;
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
}

/** Rejects calls to a server that keeps failing. See {@link createCircuitBreaker}. */
export interface CircuitBreaker {
  readonly state: "closed" | "open" | "half-open";
  /**
   * Admits a call. The caller must call exactly one of the returned functions when the call ends.
   *
   * @throws {SednaError} `circuit-open`, at once, if the circuit is open or its probe is in progress.
   */
  admit(): { succeeded(): void; failed(): void; ignored(): void };
}

/**
 * Creates a circuit breaker. After `failures` consecutive failures it rejects calls for `resetMs`, then
 * admits a single probe.
 *
 * Source: M. Nygard, "Release It!", 2007.
 */
export function createCircuitBreaker({
  failures = 5,
  resetMs = 5000,
  now = () => performance.now(),
}: CircuitBreakerOptions = {}): CircuitBreaker {
  if (!(failures >= 1))
    throw new RangeError(`make a circuit breaker: expected failures from 1 up; got ${failures}`);
  if (!(resetMs >= 0))
    throw new RangeError(`make a circuit breaker: expected resetMs from 0 up; got ${resetMs}`);
  let inRow = 0;
  let openedAt: number | undefined;
  let probing = false;

  const state = (): CircuitBreaker["state"] =>
    openedAt === undefined ? "closed" : now() - openedAt < resetMs ? "open" : "half-open";

  return {
    get state() {
      return state();
    },
    admit() {
      const current = state();
      if (current === "open" || (current === "half-open" && probing)) {
        const retryAfterMs = Math.max(0, Math.ceil(resetMs - (now() - openedAt!)));
        throw new SednaError(
          `call the big model: expected a closed circuit; got ${inRow} failures in a row, next attempt in ${retryAfterMs} ms`,
          { code: "circuit-open", retryable: true, retryAfterMs },
        );
      }
      const isProbe = current === "half-open";
      probing = isProbe;
      return {
        succeeded() {
          inRow = 0;
          openedAt = undefined;
          probing = false;
        },
        failed() {
          inRow++;
          if (isProbe) probing = false;
          if (isProbe || inRow >= failures) openedAt = now();
        },
        ignored() {
          if (isProbe) probing = false;
        },
      };
    },
  };
}
