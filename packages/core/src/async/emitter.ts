/** Emits events to its listeners; see {@link createEmitter}. */
export interface Emitter<Event> {
  emit(event: Event): void;
  /** Adds a listener. Returns a function that removes it. */
  on(listener: (event: Event) => void): () => void;
}

/**
 * Creates an emitter that isolates listeners: an error thrown by one affects neither the other listeners nor
 * the caller of `emit`.
 *
 * @example
 * ```ts
 * import { createEmitter } from "@sedna-js/core/async";
 *
 * const { emit, on } = createEmitter<number>();
 * const off = on((event) => console.log(event));
 * emit(7); // => 7
 * off();
 * emit(8);
 * ```
 */
export function createEmitter<Event>(): Emitter<Event> {
  const listeners = new Set<(event: Event) => void>();
  return {
    emit(event) {
      for (const listener of listeners) callListener(listener, event);
    },
    on(listener) {
      // Wrap the listener, so that a listener added twice is registered and removed twice.
      const own = (event: Event): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}

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
