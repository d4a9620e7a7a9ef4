/**
 * Calls `work` at once and then `everyMs` ms after each call has ended, until `signal` aborts. Does not keep
 * the process alive.
 */
export function poll(
  work: () => Promise<void>,
  { everyMs, signal }: { readonly everyMs: number; readonly signal: AbortSignal },
): void {
  let timer: unknown;
  const turn = async (): Promise<void> => {
    await work();
    if (signal.aborted) return;
    timer = setTimeout(() => void turn(), everyMs);
    // Node's timers have `unref`; a browser's timers are numbers.
    (timer as { unref?(): void }).unref?.();
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  void turn();
}
