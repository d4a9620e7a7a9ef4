import type { Peer } from "./peer.ts";

/** Factories of the same contestant with different data layouts, each called in turn. */
export type Layouts = readonly (() => Promise<Peer>)[];

/**
 * Returns the peer with the shortest best run: the layout that suits this library, machine, and size.
 * Disposes the others.
 */
export async function fastest(
  layouts: Layouts,
  { runs = 5 }: { readonly runs?: number } = {},
): Promise<Peer> {
  let best: { readonly peer: Peer; readonly ms: number } | undefined;
  for (const make of layouts) {
    const peer = await make();
    let ms = Infinity;
    // The first run is not timed, because it may compile and pack.
    for (let run = 0; run <= runs; run++) {
      const started = performance.now();
      await peer.run();
      if (run > 0) ms = Math.min(ms, performance.now() - started);
    }
    const slower = best && ms >= best.ms ? peer : best?.peer;
    await slower?.dispose();
    if (slower !== peer) best = { peer, ms };
  }
  if (!best) throw new RangeError("find the fastest layout: expected at least 1; got 0");
  return best.peer;
}
