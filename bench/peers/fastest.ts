import type { Peer } from "./peer.ts";

/** Ways to lay out the same contestant's data, each made when its turn comes. */
export type Layouts = readonly (() => Promise<Peer>)[];

/**
 * The peer whose best of a few runs is the least: the layout that suits this library, machine and size. The
 * others are disposed.
 */
export async function fastest(
  layouts: Layouts,
  { runs = 5 }: { readonly runs?: number } = {},
): Promise<Peer> {
  let best: { readonly peer: Peer; readonly ms: number } | undefined;
  for (const make of layouts) {
    const peer = await make();
    let ms = Infinity;
    // The first run may compile and pack.
    for (let run = 0; run <= runs; run++) {
      const started = performance.now();
      await peer.run();
      if (run > 0) ms = Math.min(ms, performance.now() - started);
    }
    const slower = best && ms >= best.ms ? peer : best?.peer;
    await slower?.dispose();
    if (slower !== peer) best = { peer, ms };
  }
  if (!best) throw new RangeError("choose the fastest layout: expected at least 1; got 0");
  return best.peer;
}
