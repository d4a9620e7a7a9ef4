import { SednaError } from "@sedna-js/core";

/** Options of {@link createCircuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. Default 5. */
  readonly failures?: number;
  /** How long it stays open before one call may probe, in ms. Default 5000. */
  readonly resetMs?: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Stops asking a server that does not answer; see {@link createCircuitBreaker}. */
export interface CircuitBreaker {
  readonly state: "closed" | "open" | "half-open";
  /**
   * Admits a call. Exactly one of the returned functions is to be called when it has ended.
   * @throws {SednaError} `circuit-open`, at once, while the circuit is open or its probe is under way.
   */
  admit(): { succeeded(): void; failed(): void; ignored(): void };
}

/**
 * A circuit breaker: after some failures in a row it refuses calls for a while, then lets a single one probe.
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
          `ask the big model: it failed ${inRow} times in a row; next try in ${retryAfterMs} ms`,
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
