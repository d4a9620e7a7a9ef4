/**
 * Reads a source as fast as it produces and yields only the latest sample. Samples that a slow consumer
 * misses go to `onDrop`, so that every dropped frame is counted and closed.
 *
 * @throws The source's error, after the latest sample was yielded.
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
    // Do not await: a source that waits for its next sample cannot end before that sample arrives; the pump
    // drops it.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
