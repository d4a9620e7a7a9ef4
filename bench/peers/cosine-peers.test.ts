import { describe, expect, it } from "vitest";
import { cosinePeers } from "./cosine-peers.ts";
import { fastest } from "./fastest.ts";
import { isMissing, type Gallery, type Peer } from "./peer.ts";
import { createTopRows } from "./top-rows.ts";

/** Returns reproducible rows of unit length. */
function unitRows({
  count,
  dimensions,
  seed = 1,
}: {
  count: number;
  dimensions: number;
  seed?: number;
}): Gallery {
  let state = seed;
  const values = Float32Array.from(
    { length: count * dimensions },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 23 - 1,
  );
  for (let row = 0; row < count; row++) {
    const one = values.subarray(row * dimensions, (row + 1) * dimensions);
    const length = Math.hypot(...one);
    one.forEach((value, k) => (one[k] = value / length));
  }
  return { values, count, dimensions };
}

function byHand({ values, count, dimensions }: Gallery, query: Float32Array): number[] {
  const score = (row: number): number =>
    query.reduce((sum, value, k) => sum + value * values[row * dimensions + k]!, 0);
  return Array.from({ length: count }, (_, row) => row)
    .toSorted((a, b) => score(b) - score(a))
    .slice(0, 10);
}

const tiny = unitRows({ count: 3, dimensions: 3 });
for (const [name, make] of Object.entries(cosinePeers)) {
  const probe = await make(tiny, tiny);
  const reason = isMissing(probe) ? probe.reason : undefined;
  if (!isMissing(probe)) await probe.dispose();
  const skipped = reason === undefined ? "" : ` (SKIPPED: ${reason})`;

  describe(`cosinePeers.${name}`, () => {
    for (const { count, dimensions, queries } of [
      { count: 3, dimensions: 3, queries: 2 },
      { count: 1003, dimensions: 37, queries: 1 },
      { count: 1003, dimensions: 512, queries: 16 },
    ]) {
      it.skipIf(reason)(
        `finds the best rows of ${count} x ${dimensions} for ${queries} queries, best first${skipped}`,
        async () => {
          const gallery = unitRows({ count, dimensions });
          // A view, as a caller may pass, so that a peer must not read the buffer from its start.
          const asked = unitRows({ count: queries + 1, dimensions, seed: 77 }).values.subarray(dimensions);
          const peer = (await make(gallery, { values: asked, count: queries })) as Peer;
          expect(peer.version).toMatch(/\d+\.\d+\.\d+/);
          expect(peer.layout).toContain("1 thread");
          await peer.run();
          await peer.run();
          expect(peer.top()).toEqual(byHand(gallery, asked.slice(0, dimensions)));
          await peer.dispose();
        },
      );
    }
  });
}

describe("fastest()", () => {
  it("keeps the fastest peer and disposes the others", async () => {
    const disposed: string[] = [];
    const peer = (name: string, ms: number) => async (): Promise<Peer> => ({
      name,
      version: "1",
      layout: "",
      run: () => new Promise((resolve) => setTimeout(resolve, ms)),
      top: () => [],
      dispose: () => void disposed.push(name),
    });
    expect((await fastest([peer("slow", 40), peer("fast", 1), peer("slower", 60)], { runs: 1 })).name).toBe(
      "fast",
    );
    expect(disposed).toEqual(["slow", "slower"]);
    await expect(fastest([])).rejects.toThrow("expected at least 1; got 0");
  });
});

describe("createTopRows()", () => {
  it("keeps the best rows, sorted, and the first of equal ones", () => {
    const top = createTopRows(3);
    for (const [row, score] of [1, 5, 5, 0, 7, 5].entries()) top.offer(score, row);
    expect(top.rows()).toEqual([4, 1, 2]);
    expect(top.lowest()).toBe(5);
    top.clear();
    expect(top.lowest()).toBe(-Infinity);
  });
});
