import { describe, expect, it } from "vitest";
import { galleryErrorsSuite } from "./gallery-errors.suite.ts";
import { ExactGallery, numbered, vectorsOf, type GallerySuiteOptions } from "./gallery-fixture.suite.ts";
import type { GalleryId } from "./gallery.ts";

const axes = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
const axis = (i: number): Float32Array => axes.slice(3 * i, 3 * i + 3);

/**
 * Tests that every gallery must pass, whether local, on a GPU, or in Workers. Call it inside a `describe`.
 */
export function gallerySuite(options: GallerySuiteOptions): void {
  const { make, tolerance, precisions = ["f32", "int8", "binary"] } = options;

  describe("match()", () => {
    it.each([0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1003])("finds the best of %i rows", async (size) => {
      const dimensions = 8;
      const gallery = await make({ dimensions });
      const exact = new ExactGallery(dimensions);
      await gallery.set(numbered(size), vectorsOf(size * dimensions, size));
      exact.set(numbered(size), vectorsOf(size * dimensions, size));
      expect(gallery.size).toBe(size);
      for (const count of [1, 2, 3, 4, 5, 16, 17]) {
        const call = { queries: vectorsOf(count * dimensions, 1000 + count), k: 5 };
        exact.expectBest(await gallery.match(call), { ...call, tolerance });
      }
      for (const k of [1, 16, 17, 1000]) {
        const call = { queries: vectorsOf(dimensions, k), k };
        exact.expectBest(await gallery.match(call), { ...call, tolerance });
      }
      await gallery.dispose();
    });

    it.each([1, 2, 3, 4, 5, 8, 127, 512])("finds the best rows in %i dimensions", async (dimensions) => {
      const gallery = await make({ dimensions });
      const exact = new ExactGallery(dimensions);
      await gallery.set(numbered(37), vectorsOf(37 * dimensions, dimensions));
      exact.set(numbered(37), vectorsOf(37 * dimensions, dimensions));
      for (const count of [1, 2, 3, 5]) {
        const call = { queries: vectorsOf(count * dimensions, 99), k: 40 };
        exact.expectBest(await gallery.match(call), { ...call, tolerance });
      }
      await gallery.dispose();
    });

    it("returns no results without queries and an empty result per query without rows", async () => {
      const gallery = await make({ dimensions: 3 });
      expect(await gallery.match({ queries: axes, k: 2 })).toEqual([[], [], []]);
      await gallery.set(["a"], axis(0));
      expect(await gallery.match({ queries: new Float32Array(0), k: 2 })).toEqual([]);
      await gallery.dispose();
    });

    it("omits rows below the threshold and keeps rows at the threshold", async () => {
      const gallery = await make({ dimensions: 3 });
      await gallery.set(["x", "y", "minus x"], Float32Array.of(1, 0, 0, 0, 1, 0, -1, 0, 0));
      const ids = async (threshold: number) =>
        (await gallery.match({ queries: axis(0), k: 3, threshold }))[0]!.map(({ id }) => id);
      expect(await ids(-1)).toEqual(["x", "y", "minus x"]);
      expect(await ids(0)).toEqual(["x", "y"]);
      expect(await ids(1e-6)).toEqual(["x"]);
      expect(await ids(1)).toEqual(["x"]);
      expect(await ids(1.5)).toEqual([]);
      expect(await gallery.match({ queries: axes, k: 1, threshold: 0.5 })).toEqual([
        [{ id: "x", score: 1 }],
        [{ id: "y", score: 1 }],
        [],
      ]);
      await gallery.dispose();
    });

    it("returns negative scores if there are no others", async () => {
      const gallery = await make({ dimensions: 3 });
      await gallery.set([1, 2], Float32Array.of(-3, 0, 0, -1, -1, 0));
      const [found] = await gallery.match({ queries: axis(0), k: 2 });
      expect(found!.map(({ id }) => id)).toEqual([2, 1]);
      expect(found![0]!.score).toBeCloseTo(-Math.SQRT1_2, 6);
      expect(found![1]!.score).toBeCloseTo(-1, 6);
      await gallery.dispose();
    });

    it("returns each of several identical rows and no score above 1", async () => {
      const dimensions = 127;
      const row = vectorsOf(dimensions, 4);
      const gallery = await make({ dimensions });
      await gallery.set(
        numbered(9),
        Float32Array.from({ length: 9 * dimensions }, (_, i) => row[i % dimensions]! * 7),
      );
      const [found] = await gallery.match({ queries: row, k: 9 });
      expect(new Set(found!.map(({ id }) => id))).toEqual(new Set(numbered(9)));
      for (const { score } of found!)
        expect(Math.abs(1 - score)).toBeLessThanOrEqual(score > 1 ? 0 : tolerance);
      expect((await gallery.match({ queries: row, k: 4 }))[0]).toHaveLength(4);
      await gallery.dispose();
    });

    it("compares directions only: tiny and huge vectors match alike", async () => {
      const gallery = await make({ dimensions: 3 });
      await gallery.set(["tiny", "huge"], Float32Array.of(1e-42, 1e-42, 0, 3e38, 0, 3e38));
      const found = await gallery.match({ queries: Float32Array.of(2e38, 2e38, 0, 1e-44, 0, 1e-44), k: 1 });
      expect(found.map(([best]) => best!.id)).toEqual(["tiny", "huge"]);
      for (const [best] of found) expect(best!.score).toBeCloseTo(1, 5);
      await gallery.dispose();
    });
  });

  describe("set() and delete()", () => {
    const best = async (gallery: Awaited<ReturnType<typeof make>>) =>
      (await gallery.match({ queries: axes, k: 1, threshold: 0.9 })).map(([match]) => match?.id);

    it("replace and remove the first row, the last row, and the only row", async () => {
      const gallery = await make({ dimensions: 3 });
      await gallery.set(["a", "b", "c"], axes);
      expect(await best(gallery)).toEqual(["a", "b", "c"]);
      expect(await gallery.delete("c")).toBe(true);
      expect(await best(gallery)).toEqual(["a", "b", undefined]);
      expect(await gallery.delete("a")).toBe(true);
      expect(await best(gallery)).toEqual([undefined, "b", undefined]);
      await gallery.set(["b"], axis(2));
      expect(gallery.size).toBe(1);
      expect(await best(gallery)).toEqual([undefined, undefined, "b"]);
      expect(await gallery.delete("b")).toBe(true);
      expect(await gallery.delete("b")).toBe(false);
      expect([gallery.size, gallery.has("b"), gallery.has("a")]).toEqual([0, false, false]);
      await gallery.set(["a", "d"], axes.subarray(3));
      expect([gallery.size, gallery.has("a"), gallery.has("d")]).toEqual([2, true, true]);
      expect(await best(gallery)).toEqual([undefined, "a", "d"]);
      await gallery.dispose();
    });

    it("keep the last of several vectors with the same id", async () => {
      const gallery = await make({ dimensions: 3 });
      await gallery.set(["a", "a", "b", "a"], Float32Array.of(1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1));
      expect(gallery.size).toBe(2);
      expect(await best(gallery)).toEqual(["b", undefined, "a"]);
      await gallery.dispose();
    });

    it("distinguish 1 from '1' and accept the empty string as an id", async () => {
      const gallery = await make({ dimensions: 3 });
      await gallery.set([1, "1", ""], axes);
      expect(gallery.size).toBe(3);
      expect(await best(gallery)).toEqual([1, "1", ""]);
      expect(await gallery.delete(1)).toBe(true);
      expect([gallery.has(1), gallery.has("1")]).toEqual([false, true]);
      expect(await best(gallery)).toEqual([undefined, "1", ""]);
      await gallery.dispose();
    });

    it("take effect in call order with the arguments at the time of the call", async () => {
      const gallery = await make({ dimensions: 3 });
      const vectors = axes.slice();
      const ids: GalleryId[] = ["a", "b", "c"];
      const queries = axis(1);
      const calls = [
        gallery.set(ids, vectors),
        gallery.delete("a"),
        gallery.match({ queries, k: 1 }),
        gallery.set(["b"], axis(0)),
        gallery.match({ queries, k: 3, threshold: 0.5 }),
      ];
      vectors.fill(1);
      queries.fill(-1);
      ids.fill("x");
      expect(await Promise.all(calls)).toEqual([undefined, true, [[{ id: "b", score: 1 }]], undefined, [[]]]);
      expect([gallery.size, gallery.has("a"), gallery.has("c"), gallery.has("x")]).toEqual([
        2,
        false,
        true,
        false,
      ]);
      await gallery.dispose();
    });

    it("grow the gallery over many calls and keep every row under its id", async () => {
      const dimensions = 16;
      const rows = vectorsOf(3003 * dimensions, 7);
      const gallery = await make({ dimensions });
      const exact = new ExactGallery(dimensions);
      for (let row = 0; row < 3003; row += 7) {
        const ids = numbered(7).map((i) => `row ${row + i}`);
        const vectors = rows.subarray(row * dimensions, (row + 7) * dimensions);
        exact.set(ids, vectors);
        await gallery.set(ids, vectors);
      }
      expect(gallery.size).toBe(3003);
      const some = numbered(30).map((i) => 100 * i + 1);
      const queries = new Float32Array(
        some.flatMap((row) => [...rows.subarray(row * dimensions, (row + 1) * dimensions)]),
      );
      expect((await gallery.match({ queries, k: 1 })).map(([match]) => match!.id)).toEqual(
        some.map((row) => `row ${row}`),
      );

      for (const row of some) {
        expect(await gallery.delete(`row ${row}`)).toBe(true);
        exact.rows.delete(`row ${row}`);
      }
      exact.expectBest(await gallery.match({ queries, k: 10 }), { queries, k: 10, tolerance });
      await gallery.dispose();
    });
  });

  describe.each(precisions)("a gallery of precision %s", (precision) => {
    it("reports its dimensions, precision, and size", async () => {
      const gallery = await make({ dimensions: 65, precision });
      expect([gallery.dimensions, gallery.precision, gallery.size]).toEqual([65, precision, 0]);
      await gallery.dispose();
    });

    it("finds a row among 2000 by its noisy copy and returns an exact score", async () => {
      const [dimensions, size] = [128, 2000];
      const rows = vectorsOf(size * dimensions, 21);
      const gallery = await make({ dimensions, precision });
      const exact = new ExactGallery(dimensions);
      await gallery.set(numbered(size), rows);
      exact.set(numbered(size), rows);
      const some = numbered(20).map((i) => 97 * i + 3);
      const noise = vectorsOf(some.length * dimensions, 22);
      const queries = noise.map(
        (value, i) => rows[some[Math.floor(i / dimensions)]! * dimensions + (i % dimensions)]! + 0.3 * value,
      );
      const found = await gallery.match({ queries, k: 1 });
      expect(found.map(([match]) => match!.id)).toEqual(some);
      exact.expectBest(found, { queries, k: 1, tolerance });
      await gallery.dispose();
    });

    it("is exact if every row is a candidate", async () => {
      const dimensions = 67;
      for (const size of [1, 5, 17, 100]) {
        const gallery = await make({ dimensions, precision });
        const exact = new ExactGallery(dimensions);
        await gallery.set(numbered(size), vectorsOf(size * dimensions, size));
        exact.set(numbered(size), vectorsOf(size * dimensions, size));
        for (const i of numbered(size).filter((i) => i % 3 === 1)) {
          await gallery.delete(i);
          exact.rows.delete(i);
        }
        const call = { queries: vectorsOf(5 * dimensions, 1), k: 10 };
        exact.expectBest(await gallery.match({ ...call, candidates: 100 }), { ...call, tolerance });
        await gallery.dispose();
      }
    });
  });

  galleryErrorsSuite(options);
}
