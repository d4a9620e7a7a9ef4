import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";

/** Returns the rate if it is valid. @throws {RangeError} If `maxPerSecond` is not positive. */
export function checkRate(maxPerSecond: number): number {
  if (!(maxPerSecond > 0))
    throw new RangeError(`send queued items: expected maxPerSecond above 0; got ${maxPerSecond}`);
  return maxPerSecond;
}

/** A promise and what settles it. */
export interface PromiseWithResolvers {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Creates a promise that an abort of the signal rejects. */
export function waiting(signal: AbortSignal | undefined): {
  promise: Promise<void>;
  flusher: PromiseWithResolvers;
  onAbort: () => void;
} {
  let flusher!: PromiseWithResolvers;
  const promise = new Promise<void>((resolve, reject) => (flusher = { resolve, reject }));
  return { promise, flusher, onAbort: () => flusher.reject(signal?.reason) };
}

/** A storage error as a `SednaError`. */
export function storageError(error: unknown): SednaError {
  if (error instanceof SednaError) return error;
  return new SednaError(`access the queue: expected a result; got ${messageOf(error)}`, {
    code: "storage-failed",
    retryable: true,
    cause: error,
  });
}
