import { SednaError } from "../errors.ts";

/** The time from the creation of an object to its `dispose`; see {@link createLifetime}. */
export interface Lifetime {
  /** Aborts at the end, with a `SednaError` of code `disposed`. */
  readonly signal: AbortSignal;
  /**
   * Returns a signal that aborts at the end of the lifetime, or with `signal`.
   * @throws The reason, if one of them is aborted already.
   */
  during(signal?: AbortSignal): AbortSignal;
  end(): void;
}

/**
 * Creates the lifetime of an object that can be disposed. `action` is what the object does, for the message
 * of the error.
 */
export function createLifetime(action: string): Lifetime {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    during(signal) {
      controller.signal.throwIfAborted();
      signal?.throwIfAborted();
      return signal ? AbortSignal.any([controller.signal, signal]) : controller.signal;
    },
    end: () =>
      controller.abort(
        new SednaError(`${action}: expected an object in use; got a disposed one`, { code: "disposed" }),
      ),
  };
}
