/** A queue of events for one reader; see {@link createEventStream}. */
export interface EventStream<Event> {
  push(event: Event): void;
  /** Ends the stream. With a failure, `next` throws its error after the last event is read. */
  end(failure?: { readonly error: unknown }): void;
  /** Returns the next event, or `undefined` at the end. */
  next(): Promise<Event | undefined>;
}

/** Maximum number of unread events. Beyond it, the oldest is dropped. */
const CAPACITY = 1000;

/**
 * Creates a queue of events for one reader. `push` never waits: training continues while a page is busy. An
 * event that `replaces` the last unread event takes its position. If more than 1000 events are unread, the
 * oldest are dropped.
 */
export function createEventStream<Event>({
  replaces,
}: {
  readonly replaces: (newer: Event, older: Event) => boolean;
}): EventStream<Event> {
  const waiting: Event[] = [];
  let wake = (): void => {};
  let ended: { readonly failure?: { readonly error: unknown } | undefined } | undefined;
  return {
    push(event) {
      if (ended) return;
      const last = waiting.at(-1);
      if (last !== undefined && replaces(event, last)) waiting.pop();
      waiting.push(event);
      if (waiting.length > CAPACITY) waiting.shift();
      wake();
    },
    end(failure) {
      ended ??= { failure };
      wake();
    },
    async next() {
      while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      if (waiting.length > 0) return waiting.shift();
      if (ended?.failure) throw ended.failure.error;
      return undefined;
    },
  };
}
