import { TOP, type Gallery, type Peer, type PeerFactory, type Queries } from "./peer.ts";
import { createTopRows } from "./top-rows.ts";

/**
 * Matching in careful JavaScript: four accumulators, all queries while a row is in the cache, the best rows
 * kept by insertion.
 */
export const cosineLoop: PeerFactory = async (gallery, queries): Promise<Peer> => {
  const best = Array.from({ length: queries.count }, () => createTopRows(Math.min(TOP, gallery.count)));
  const scores = new Float64Array(gallery.count * queries.count);
  return {
    name: "JavaScript loop",
    version: process.version,
    layout: "1 thread, four accumulators; row-major f32, a row for all queries at a time",
    run() {
      products(gallery, { queries, scores });
      for (const [m, top] of best.entries()) {
        top.clear();
        let lowest = -Infinity;
        for (let row = 0, at = m; row < gallery.count; row++, at += queries.count) {
          if (scores[at]! > lowest) {
            top.offer(scores[at]!, row);
            lowest = top.lowest();
          }
        }
      }
    },
    top: () => best[0]!.rows(),
    dispose() {},
  };
};

function products(
  { values, count, dimensions }: Gallery,
  { queries, scores }: { readonly queries: Queries; readonly scores: Float64Array },
): void {
  const asked = queries.values;
  const end = count * dimensions;
  const whole = dimensions - (dimensions % 4);
  for (let start = 0, at = 0; start < end; start += dimensions) {
    for (let query = 0; query < asked.length; query += dimensions, at++) {
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let k = 0; k < whole; k += 4) {
        a += values[start + k]! * asked[query + k]!;
        b += values[start + k + 1]! * asked[query + k + 1]!;
        c += values[start + k + 2]! * asked[query + k + 2]!;
        d += values[start + k + 3]! * asked[query + k + 3]!;
      }
      for (let k = whole; k < dimensions; k++) a += values[start + k]! * asked[query + k]!;
      scores[at] = a + b + c + d;
    }
  }
}
