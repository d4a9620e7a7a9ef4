/**
 * Tells a listener. What it throws surfaces as its own uncaught error, neither swallowed nor taken for a
 * failure of the work that tells.
 */
export function callListener<Event>(listener: ((event: Event) => void) | undefined, event: Event): void {
  try {
    listener?.(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
