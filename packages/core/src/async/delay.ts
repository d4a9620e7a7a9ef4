/**
 * Waits. Resolves early, without an error, if the signal is aborted.
 *
 * @example
 * ```ts
 * import { delay } from "@sedna-js/core/async";
 *
 * const start = performance.now();
 * await delay(20, AbortSignal.timeout(1000));
 * console.log(performance.now() - start > 15); // => true
 * ```
 */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
