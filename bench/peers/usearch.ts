import { loadPeer, peerOrReason, TOP, vectorLevel, type PeerFactory } from "./peer.ts";

interface Usearch {
  exactSearch(
    gallery: Float32Array,
    queries: Float32Array,
    dimensions: number,
    count: number,
    metric: "ip" | "cos",
    threads: number,
  ): { readonly keys: BigUint64Array };
}

const name = "usearch";

/** USearch's exact search over the caller's array. */
export const usearch: PeerFactory = (gallery, queries) =>
  peerOrReason(name, async () => {
    const { module, version } = loadPeer<Usearch>(name);
    // The binding reads from the start of a view's buffer and ignores the view's offset.
    const whole = (values: Float32Array): Float32Array => (values.byteOffset === 0 ? values : values.slice());
    const rows = whole(gallery.values);
    const asked = whole(queries.values);
    const top = Math.min(TOP, gallery.count);
    let keys: BigUint64Array | undefined;
    return {
      name,
      version,
      layout: `1 thread, native, vectors chosen at run time (processor: ${vectorLevel()}); exactSearch, inner product, row-major f32`,
      run() {
        ({ keys } = module.exactSearch(rows, asked, gallery.dimensions, top, "ip", 1));
      },
      top: () => Array.from(keys?.subarray(0, top) ?? [], Number),
      dispose() {},
    };
  });
