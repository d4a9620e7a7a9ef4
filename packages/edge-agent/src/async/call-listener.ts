/**
 * Calls a listener. An error that the listener throws is rethrown in a microtask: it surfaces as an uncaught
 * error and does not fail the caller's work.
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
