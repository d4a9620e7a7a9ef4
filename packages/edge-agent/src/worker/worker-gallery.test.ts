import { shardedGallery, type GalleryOptions } from "@sedna-js/wasm-kernels";
import { describe, expect, it } from "vitest";
import { bundledWorker } from "../../../../testing/workers/bundled-worker.ts";
import { gallerySuite } from "../../../wasm-kernels/src/gallery/gallery.suite.ts";
import {
  ExactGallery,
  numbered,
  vectorsOf,
} from "../../../wasm-kernels/src/gallery/gallery-fixture.suite.ts";
import { workerGallery } from "./worker-gallery.ts";

const galleryWorker = await bundledWorker(
  new URL("../../../../testing/workers/gallery-worker.ts", import.meta.url),
);
const open = (options: GalleryOptions) => workerGallery(galleryWorker(), options);
const tolerance = 2e-6;

describe("a sharded gallery in two Node Workers", { timeout: 30_000 }, () => {
  gallerySuite({
    make: async (options) => shardedGallery({ shards: await Promise.all([open(options), open(options)]) }),
    tolerance,
    precisions: ["f32"],
  });
});

describe("workerGallery()", { timeout: 30_000 }, () => {
  const dimensions = 6;
  const rows = (count: number) => vectorsOf(count * dimensions, count);

  it("accepts vectors from a view of a larger array and leaves the caller's array usable", async () => {
    await using gallery = await open({ dimensions, precision: "int8" });
    expect([gallery.dimensions, gallery.precision]).toEqual([6, "int8"]);
    const all = rows(100);
    const some = all.subarray(10 * dimensions, 20 * dimensions);
    await gallery.set(numbered(10), some);
    const call = { queries: all.subarray(12 * dimensions, 14 * dimensions), k: 3, candidates: 10 };
    const exact = new ExactGallery(dimensions);
    exact.set(numbered(10), some);
    exact.expectBest(await gallery.match(call), { ...call, tolerance });
    expect(all).toEqual(rows(100));
  });

  it("rejects pending and later calls when the Worker crashes", async () => {
    const gallery = await open({ dimensions: 1002 });
    await expect(gallery.delete("crash")).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringContaining("the worker's own bug"),
    });
    await expect(gallery.match({ queries: new Float32Array(1002).fill(1), k: 1 })).rejects.toMatchObject({
      code: "run-failed",
    });
    await gallery.dispose();
  });

  it("does not wait for a hanging Worker on dispose, sharded or not", async () => {
    const gallery = shardedGallery({ shards: [await open({ dimensions: 1002 })] });
    await gallery.set([1], new Float32Array(1002).fill(1));
    const hanging = gallery.delete(1).catch((error: unknown) => error);
    const started = performance.now();
    await gallery.dispose();
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await hanging).toMatchObject({ code: "disposed" });
  });

  it("terminates a Worker whose gallery cannot be opened or is not empty", async () => {
    for (const [options, message] of [
      [{ dimensions: 0 }, "gallery: expected dimensions to be an integer in 1..65536; got 0"],
      [{ dimensions: 1001 }, "workerGallery: expected the worker's gallery to be empty; got 1 rows"],
    ] as const) {
      const worker = galleryWorker();
      const ended = new Promise((resolve) => worker.on("exit", resolve));
      await expect(workerGallery(worker, options)).rejects.toThrow(new RangeError(message));
      await ended;
    }
  });

  it("rejects calls after dispose with the code disposed", async () => {
    const gallery = await open({ dimensions });
    await gallery.dispose();
    await expect(gallery.match({ queries: rows(1), k: 1 })).rejects.toMatchObject({
      name: "SednaError",
      code: "disposed",
      message: "match: expected a gallery in use; got a disposed one",
    });
  });
});
