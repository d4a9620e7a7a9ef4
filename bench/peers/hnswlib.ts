import { createRequire } from "node:module";
import { hnswlibFile, type HnswlibBuild } from "./install-hnswlib.ts";
import { packageVersion, peerOrReason, TOP, vectorLevel, type PeerFactory } from "./peer.ts";

interface Hnswlib {
  readonly BruteforceSearch: new (space: "ip", dimensions: number) => BruteforceSearch;
}

interface BruteforceSearch {
  initIndex(capacity: number): void;
  addPoint(point: readonly number[], label: number): void;
  searchKnn(
    query: readonly number[],
    count: number,
  ): { readonly neighbors: number[]; readonly distances: number[] };
}

const require = createRequire(import.meta.url);

/**
 * hnswlib's brute force search. `published` is compiled as npm does, for any x86-64; `native` for this
 * processor. Adding a row copies it through an Array, which takes a few seconds for 1e5 rows.
 */
export function hnswlib(build: HnswlibBuild): PeerFactory {
  const name = `hnswlib-node, ${build}`;
  return ({ values, count, dimensions }, queries) =>
    peerOrReason(name, async () => {
      const { BruteforceSearch } = require(hnswlibFile(build)) as Hnswlib;
      const search = new BruteforceSearch("ip", dimensions);
      search.initIndex(count);
      for (let row = 0; row < count; row++)
        search.addPoint(Array.from(values.subarray(row * dimensions, (row + 1) * dimensions)), row);
      const asked = Array.from({ length: queries.count }, (_, i) =>
        Array.from(queries.values.subarray(i * dimensions, (i + 1) * dimensions)),
      );
      const top = Math.min(TOP, count);
      let found: number[] = [];
      return {
        name,
        version: packageVersion("hnswlib-node"),
        layout: `1 thread, native ${build === "native" ? vectorLevel() : "SSE"}; BruteforceSearch, inner product, one call per query`,
        run() {
          const answers = asked.map((query) => search.searchKnn(query, top));
          found = answers[0]!.neighbors;
          const { distances } = answers[0]!;
          // The result may be in heap order.
          if (distances.some((distance, i) => i > 0 && distance < distances[i - 1]!))
            found = found
              .map((row, i) => ({ row, distance: distances[i]! }))
              .toSorted((a, b) => a.distance - b.distance)
              .map(({ row }) => row);
        },
        top: () => found,
        dispose() {},
      };
    });
}
