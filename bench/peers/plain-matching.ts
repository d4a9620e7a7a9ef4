import { TOP, type Peer, type PeerFactory } from "./peer.ts";
import { createTopRows } from "./top-rows.ts";

/** JavaScript with care: four sums at a time, every query while a row is in the cache, the best kept by insertion. */
export const cosineLoop: PeerFactory = async ({ values, count, dimensions }, queries): Promise<Peer> => {
  const best = Array.from({ length: queries.count }, () => createTopRows(Math.min(TOP, count)));
  const asked = queries.values;
  const whole = dimensions - (dimensions % 4);
  return {
    name: "JavaScript loop",
    version: process.version,
    layout: "1 thread, four accumulators; row-major f32, a row for all queries at a time",
    run() {
      const lowest = new Float64Array(best.length).fill(-Infinity);
      for (const one of best) one.clear();
      for (let row = 0, start = 0; row < count; row++, start += dimensions) {
        for (let m = 0, query = 0; m < best.length; m++, query += dimensions) {
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
          const score = a + b + c + d;
          if (score > lowest[m]!) {
            best[m]!.offer(score, row);
            lowest[m] = best[m]!.lowest();
          }
        }
      }
    },
    top: () => best[0]!.rows(),
    dispose() {},
  };
};
