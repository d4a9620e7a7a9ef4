/**
 * Reads a source as fast as it gives and keeps only the newest sample: what a slow consumer missed is
 * handed to `onDrop`, so that every dropped frame is counted and closed.
 *
 * @throws whatever the source throws, after the newest sample was taken.
 */
export async function* latest<Sample>(
  source: AsyncIterable<Sample>,
  { onDrop }: { readonly onDrop: (sample: Sample) => void },
): AsyncGenerator<Sample> {
  const iterator = source[Symbol.asyncIterator]();
  const slot: { held?: { readonly sample: Sample }; failure?: { readonly error: unknown } } = {};
  let ended = false;
  let wake: () => void = () => {};

  const pump = async (): Promise<void> => {
    try {
      for (;;) {
        const { done, value } = await iterator.next();
        if (done) return;
        if (ended) return onDrop(value);
        if (slot.held) onDrop(slot.held.sample);
        slot.held = { sample: value };
        wake();
      }
    } catch (error) {
      slot.failure = { error };
    } finally {
      ended = true;
      wake();
    }
  };

  void pump();
  try {
    for (;;) {
      if (slot.held) {
        const { sample } = slot.held;
        slot.held = undefined;
        yield sample;
      } else if (ended) {
        if (slot.failure) throw slot.failure.error;
        return;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    ended = true;
    if (slot.held) onDrop(slot.held.sample);
    // Not awaited: a source that waits for its next sample cannot end before it comes; the pump drops that
    // one.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
