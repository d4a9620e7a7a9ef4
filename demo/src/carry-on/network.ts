/** The network as the agent sees it, and a switch that cuts it. */
export interface Network {
  /** The agent's `fetch`: the browser's own, but for what the publisher serves. */
  readonly fetch: typeof globalThis.fetch;
  readonly isCut: boolean;
  /** Requests under way fail too. */
  cut(): void;
  restore(): void;
}

/**
 * A network that is there until it is cut. `published` answers what the publisher serves; undefined goes on
 * to the real network.
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
