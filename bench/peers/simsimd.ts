import { loadPeer, peerOrReason, TOP, vectorLevel, type PeerFactory } from "./peer.ts";
import { createTopRows } from "./top-rows.ts";

interface Simsimd {
  inner(a: Float32Array, b: Float32Array): number;
}

const name = "simsimd";

/** SimSIMD's inner product, one call per row. */
export const simsimd: PeerFactory = (gallery, queries) =>
  peerOrReason(name, async () => {
    const { module, version } = loadPeer<Simsimd>(name);
    const { dimensions } = gallery;
    const rowsOf = ({ values, count }: { values: Float32Array; count: number }): Float32Array[] =>
      Array.from({ length: count }, (_, i) => values.subarray(i * dimensions, (i + 1) * dimensions));
    const rows = rowsOf(gallery);
    const asked = rowsOf(queries).map((query) => ({
      query,
      best: createTopRows(Math.min(TOP, gallery.count)),
    }));
    return {
      name,
      version,
      layout: `1 thread, native, vectors chosen at run time (processor: ${vectorLevel()}); inner(), one call per row on views created beforehand, top rows in JavaScript`,
      run() {
        for (const { query, best } of asked) {
          best.clear();
          for (let row = 0; row < rows.length; row++) best.offer(module.inner(query, rows[row]!), row);
        }
      },
      top: () => asked[0]!.best.rows(),
      dispose() {},
    };
  });
