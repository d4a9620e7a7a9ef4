import type { SampleSource } from "@sedna-js/core";

/**
 * Creates a source that ends at once when its reader stops. A plain generator cannot do that: while it waits
 * for the next sample, which may never arrive in a hidden tab or from a dead camera, `return()` waits too.
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
