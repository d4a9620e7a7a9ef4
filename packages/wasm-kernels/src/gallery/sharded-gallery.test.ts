import { describe, expect, it } from "vitest";
import { ExactGallery, numbered, vectorsOf } from "./gallery-fixture.suite.ts";
import type { GalleryPort } from "./gallery-port.ts";
import { gallerySuite } from "./gallery.suite.ts";
import type { GalleryOptions } from "./gallery.ts";
import { referenceVectorKernels } from "../vectors/reference/reference-vector-kernels.ts";
import { shardedGallery } from "./sharded-gallery.ts";

const shard = (options: GalleryOptions) => referenceVectorKernels().gallery(options);
const pair = Float32Array.of(1, 0, 0, 1);

describe("a sharded gallery with three shards", () => {
  gallerySuite({
    make: (options) => shardedGallery({ shards: [shard(options), shard(options), shard(options)] }),
    tolerance: 2e-6,
  });
});

describe("shardedGallery()", () => {
  it("adds new rows to the smallest shard and keeps known rows in their shard", async () => {
    const shards = [shard({ dimensions: 2 }), shard({ dimensions: 2 })];
    shards[1]!.set(["old", "older"], pair);
    const gallery = shardedGallery({ shards });
    await gallery.set(["a", "b"], pair);
    await gallery.set(["older", "c", "c"], Float32Array.of(1, 1, 1, 2, 2, 1));
    await gallery.set(["d"], Float32Array.of(-1, 0));
    expect(shards.map((one) => one.size)).toEqual([3, 3]);
    expect([
      shards[0]!.has("c") && shards[0]!.has("a") && shards[0]!.has("b"),
      shards[1]!.has("older"),
      shards[1]!.has("d"),
    ]).toEqual([true, true, true]);
    expect(gallery.size).toBe(6);
  });

  it("queries all shards at once and merges their results", async () => {
    const rows = vectorsOf(200 * 4, 3);
    let asked = 0;
    let release!: () => void;
    const allAsked = new Promise<void>((resolve) => (release = resolve));
    const shards = numbered(4).map((): GalleryPort => {
      const inner = shard({ dimensions: 4 });
      return Object.assign(Object.create(inner) as GalleryPort, {
        async match(options: Parameters<GalleryPort["match"]>[0]) {
          if (++asked === 4) release();
          await allAsked;
          return inner.match(options);
        },
      });
    });
    const gallery = shardedGallery({ shards });
    await gallery.set(numbered(200), rows);
    const exact = new ExactGallery(4);
    exact.set(numbered(200), rows);
    const call = { queries: vectorsOf(3 * 4, 9), k: 7, threshold: 0.2 };
    exact.expectBest(await gallery.match(call), { ...call, tolerance: 2e-6 });
    await gallery.dispose();
    expect(() => shards[0]!.has(1)).toThrow("disposed");
  });

  it("fails if a shard fails and works again when the shard recovers", async () => {
    let broken = false;
    const inner = shard({ dimensions: 2 });
    const failing = Object.assign(Object.create(inner) as GalleryPort, {
      match: async (options: Parameters<GalleryPort["match"]>[0]) => {
        if (broken) throw new Error("the shard is unavailable");
        return inner.match(options);
      },
    });
    const gallery = shardedGallery({ shards: [shard({ dimensions: 2 }), failing] });
    await gallery.set([1, 2], pair);
    broken = true;
    await expect(gallery.match({ queries: pair, k: 1 })).rejects.toThrow("the shard is unavailable");
    broken = false;
    expect((await gallery.match({ queries: pair, k: 1 })).map(([best]) => best!.id)).toEqual([1, 2]);
  });

  it("rejects shards that do not fit together", () => {
    expect(() => shardedGallery({ shards: [] })).toThrow(
      new RangeError("shardedGallery: expected shards to have at least 1 element; got 0"),
    );
    expect(() => shardedGallery({ shards: [shard({ dimensions: 2 }), shard({ dimensions: 3 })] })).toThrow(
      new RangeError("shardedGallery: expected shards[1].dimensions to be 2 (as in shards[0]); got 3"),
    );
    expect(() =>
      shardedGallery({ shards: [shard({ dimensions: 2 }), shard({ dimensions: 2, precision: "int8" })] }),
    ).toThrow('expected shards[1].precision to be f32 (as in shards[0]); got "int8"');
  });
});
