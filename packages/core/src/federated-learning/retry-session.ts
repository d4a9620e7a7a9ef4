import { retry, type RetryOptions } from "../async/retry.ts";
import { SednaError } from "../errors.ts";

/**
 * True for a failure that another attempt may cure: a retryable one, or the end of a session, which is joined
 * again.
 */
export function isRecoverable(error: unknown): error is SednaError {
  return error instanceof SednaError && (error.retryable || hasEnded(error));
}

const hasEnded = (error: SednaError): boolean => error.code === "session-ended";

/**
 * Retries a request of a session without limit. The end of a session shows that the aggregator can be reached
 * again, so the delays of an outage start from the beginning.
 */
export function retrySession<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  return retry(work, { ...options, isRetryable: isRecoverable, resetsBackoff: hasEnded });
}
