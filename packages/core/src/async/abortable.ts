/**
 * Waits for shared work only as long as this caller cares. @throws the signal's reason, or what the work
 * throws.
 *
 * @example
 * ```ts
 * import { abortable } from "@sedna-js/core/async";
 *
 * const never = new Promise<string>(() => {});
 * const outcome = await abortable(never, AbortSignal.abort("stop")).catch((reason) => reason);
 * console.log(outcome); // => stop
 * ```
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    // The work itself may have aborted the signal when it started.
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
