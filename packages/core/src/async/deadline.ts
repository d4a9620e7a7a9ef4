import { SednaError } from "../errors.ts";

/** Options of {@link withDeadline}. */
export interface DeadlineOptions {
  /** Deadline in ms. At most 2147483647: longer timers overflow. */
  readonly deadlineMs: number;
  /** Aborts the work. The signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Action that the error message names, such as "call the big model". */
  readonly action: string;
}

/**
 * Runs `work` and settles by the deadline whatever it does: work that ignores its signal cannot hold anyone
 * back.
 *
 * @throws {SednaError} `cloud-timeout` at the deadline; the signal's reason when the caller gives up; else
 * what `work` throws.
 *
 * @example
 * ```ts
 * import { withDeadline } from "@sedna-js/core/async";
 *
 * const never = (): Promise<never> => new Promise(() => {});
 * const error = await withDeadline(never, { deadlineMs: 5, action: "wait" }).catch((one) => one);
 * console.log(error.code); // => cloud-timeout
 * ```
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { deadlineMs, signal, action }: DeadlineOptions,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  let stop: () => void = () => {};
  let timer: unknown;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal?.reason);
      controller.abort(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    timer = setTimeout(() => {
      const error = new SednaError(`${action}: expected a response within ${deadlineMs} ms; got none`, {
        code: "cloud-timeout",
        retryable: true,
      });
      reject(error);
      controller.abort(error);
    }, deadlineMs);
  });
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * Returns `deadlineMs`.
 * @throws {RangeError} If `deadlineMs` is not above 0 and below 2147483648, the limit of timers.
 */
export function checkDeadline(deadlineMs: number): number {
  if (!(deadlineMs > 0 && deadlineMs < 2 ** 31))
    throw new RangeError(
      `set deadlineMs: expected a positive number of milliseconds below 2147483648; got ${String(deadlineMs)}`,
    );
  return deadlineMs;
}
