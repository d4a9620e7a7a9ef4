import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";

/** @throws {RangeError} on a number of requests a second that is none. */
export function checkRate(maxPerSecond: number): number {
  if (!(maxPerSecond > 0))
    throw new RangeError(`send what is queued: expected maxPerSecond above 0; got ${maxPerSecond}`);
  return maxPerSecond;
}

export interface PromiseWithResolvers {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function waiting(signal: AbortSignal | undefined): {
  promise: Promise<void>;
  flusher: PromiseWithResolvers;
  onAbort: () => void;
} {
  let flusher!: PromiseWithResolvers;
  const promise = new Promise<void>((resolve, reject) => (flusher = { resolve, reject }));
  return { promise, flusher, onAbort: () => flusher.reject(signal?.reason) };
}

export function storageError(error: unknown): SednaError {
  if (error instanceof SednaError) return error;
  return new SednaError(`ask the queue: expected an answer; got ${messageOf(error)}`, {
    code: "storage-failed",
    retryable: true,
    cause: error,
  });
}
