import type { Frame, SampleSource } from "@sedna-js/core";

/**
 * A source of frames that ends at once when its reader leaves. A plain generator cannot: while it waits for the
 * next frame, which may never come in a hidden tab, `return()` waits with it.
 */
export function stoppable(frames: (signal: AbortSignal) => AsyncGenerator<Frame>, { live, signal }: { readonly live: boolean; readonly signal?: AbortSignal }): SampleSource<Frame> {
  return {
    live,
    [Symbol.asyncIterator]() {
      const left = new AbortController();
      const generator = frames(signal ? AbortSignal.any([signal, left.signal]) : left.signal);
      return {
        next: () => generator.next(),
        return: () => {
          left.abort();
          return generator.return(undefined);
        },
      };
    },
  };
}
