/**
 * Returns a function that runs `work`, one run at a time. All calls during a run are merged into one more run
 * after it, which sees everything that the calls announced. `work` must not reject.
 *
 * @example
 * ```ts
 * import { coalesce } from "@sedna-js/core/async";
 *
 * let runs = 0;
 * const update = coalesce(async () => void runs++);
 * update();
 * update();
 * update();
 * await new Promise((resolve) => setTimeout(resolve, 5));
 * console.log(runs); // => 2
 * ```
 */
export function coalesce(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = (): void => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    void work().finally(() => {
      running = false;
      if (!again) return;
      again = false;
      run();
    });
  };
  return run;
}
