/** Hands events to one reader; see {@link createEventFeed}. */
export interface EventStream<Event> {
  push(event: Event): void;
  /** No more comes; with an error, it is thrown after the last event was read. */
  end(failure?: { readonly error: unknown }): void;
  /** The next event; undefined at the end. */
  next(): Promise<Event | undefined>;
}

/** Who reads none of so many has left them. */
const CAPACITY = 1000;

/**
 * Events that wait for a reader. The writer never waits: training goes on while a page is busy. An event that `replaces`
 * the one before it takes its place, and of more than a thousand the oldest are forgotten.
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
