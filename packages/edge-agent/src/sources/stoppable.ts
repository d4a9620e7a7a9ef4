import type { SampleSource } from "@sedna-js/core";

/**
 * A source that ends at once when its reader leaves. A plain generator cannot: while it waits for the next
 * sample, which may never come in a hidden tab or from a dead camera, `return()` waits with it.
 */
export function stoppable<Sample>(
  samples: (signal: AbortSignal) => AsyncGenerator<Sample>,
  { live, signal }: { readonly live: boolean; readonly signal?: AbortSignal },
): SampleSource<Sample> {
  return {
    live,
    [Symbol.asyncIterator]() {
      const left = new AbortController();
      const generator = samples(signal ? AbortSignal.any([signal, left.signal]) : left.signal);
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
