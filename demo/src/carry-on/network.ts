/** The network as the agent sees it, with a switch that cuts it. */
export interface Network {
  /** The agent's `fetch`: the browser's own, except for the publisher's files. */
  readonly fetch: typeof globalThis.fetch;
  readonly isCut: boolean;
  /** Cuts the network. Requests in progress fail too. */
  cut(): void;
  restore(): void;
}

/**
 * Creates a network that is connected until it is cut. `published` returns the response for the publisher's
 * URLs, or `undefined` to use the real network.
 */
export function createNetwork({
  published,
}: {
  readonly published: (url: URL) => Response | undefined;
}): Network {
  const state = { cutting: new AbortController() };
  return {
    get isCut() {
      return state.cutting.signal.aborted;
    },
    async fetch(input, init) {
      const cut = state.cutting.signal;
      if (cut.aborted) throw cut.reason;
      const url = new URL(input instanceof Request ? input.url : input, location.href);
      const answer = published(url);
      if (answer) return answer;
      return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, cut]) : cut });
    },
    cut: () => state.cutting.abort(new TypeError("Failed to fetch: the network is cut")),
    restore() {
      if (state.cutting.signal.aborted) state.cutting = new AbortController();
    },
  };
}
