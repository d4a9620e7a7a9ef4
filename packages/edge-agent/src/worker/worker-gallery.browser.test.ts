import { shardedGallery, type GalleryOptions } from "@sedna-js/wasm-kernels";
import { describe, expect, it } from "vitest";
import {
  ExactGallery,
  numbered,
  vectorsOf,
} from "../../../wasm-kernels/src/gallery/gallery-fixture.suite.ts";
import { workerGallery } from "./worker-gallery.ts";

const open = (options: GalleryOptions) =>
  workerGallery(
    new Worker(new URL("../../../../testing/workers/gallery-worker.ts", import.meta.url), { type: "module" }),
    options,
  );

describe("workerGallery() in a browser", () => {
  it.each(["f32", "int8", "binary"] as const)(
    "matches over the shards of two Workers with %s precision",
    async (precision) => {
      const dimensions = 64;
      const gallery = shardedGallery({
        shards: await Promise.all([open({ dimensions, precision }), open({ dimensions, precision })]),
      });
      const exact = new ExactGallery(dimensions);
      const rows = vectorsOf(301 * dimensions, 5);
      await gallery.set(numbered(301), rows);
      exact.set(numbered(301), rows);
      expect(await gallery.delete(300)).toBe(true);
      exact.rows.delete(300);
      const call = { queries: vectorsOf(5 * dimensions, 6), k: 12, candidates: 200 };
      exact.expectBest(await gallery.match(call), { ...call, tolerance: 2e-6 });
      await gallery.dispose();
    },
  );

  it("rejects with errors in their own classes", async () => {
    const gallery = await open({ dimensions: 4 });
    await expect(gallery.set(["a"], new Float32Array(4))).rejects.toThrow(
      new RangeError("set: expected vectors, vector 0, to have a direction; got all zeros"),
    );
    await expect(gallery.match({ queries: [1] as never, k: 1 })).rejects.toThrow(TypeError);
    await gallery.dispose();
    await expect(open({ dimensions: -1 })).rejects.toThrow(RangeError);
  });

  it("rejects with the cause when the Worker crashes", async () => {
    const gallery = await open({ dimensions: 1002 });
    await expect(gallery.delete("crash")).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringContaining("the worker's own bug"),
    });
    await gallery.dispose();
  });
});
