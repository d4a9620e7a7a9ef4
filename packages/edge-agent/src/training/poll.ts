/** Works at once and then every so many ms, one after the other, until the signal says stop. Keeps no process alive. */
export function poll(
  work: () => Promise<void>,
  { everyMs, signal }: { readonly everyMs: number; readonly signal: AbortSignal },
): void {
  let timer: unknown;
  const turn = async (): Promise<void> => {
    await work();
    if (signal.aborted) return;
    timer = setTimeout(() => void turn(), everyMs);
    // Of Node; a browser's timers are numbers.
    (timer as { unref?(): void }).unref?.();
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  void turn();
}
