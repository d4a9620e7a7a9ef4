import { describe, expect, it } from "vitest";
import { loadVectorKernels } from "../load-vector-kernels.ts";

// Failures that can occur only if memory is one block that grows.
describe("the memory of the vector kernels", () => {
  it("has space for thousands of small objects", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    const means = Array.from({ length: 1500 }, () => kernels.weightedMean({ length: 1 }));
    for (const [i, mean] of means.entries())
      mean.add({ encoding: "f32", values: Float32Array.of(i) }, { weight: 1 });
    expect(means.every((mean, i) => mean.result()[0] === i)).toBe(true);
  });

  it("is released if there is not enough for all blocks of an object", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    expect(() => kernels.updateBucket({ length: 2.5e8, encoding: "int8", capacity: 9 })).toThrow(
      "kernel memory: expected at most 2147483647 bytes in one block",
    );
    using other = kernels.updateBucket({ length: 1e8, encoding: "int8", capacity: 5 });
    expect(other.capacity).toBe(5);
    for (let i = 0; i < 3; i++) {
      // The block of 2.1 GB fits, but the result does not.
      expect(() => kernels.updateBucket({ length: 5.3e8, capacity: 4, encoding: "int8" })).toThrow(
        "memory is full",
      );
    }
    using small = kernels.weightedMean({ length: 1000 });
    small.add({ encoding: "f32", values: new Float32Array(1000).fill(2) }, { weight: 1 });
    expect(small.result()[999]).toBe(2);
  });

  it("rejects the buffer of an earlier update", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    using bucket = kernels.updateBucket({ length: 4, capacity: 3 });
    const { values } = bucket.incoming() as { values: Float32Array };
    bucket.add({ encoding: "f32", values }, { weight: 1 });
    values.fill(7);
    expect(() => bucket.add({ encoding: "f32", values }, { weight: 1 })).toThrow(
      "add: expected the buffer of this update; got the buffer of an earlier update: call incoming() for each update",
    );
    expect(bucket.count).toBe(1);
  });

  it("does not grow while it holds the update to add", async () => {
    const length = 100_000;
    for (const encoding of ["f32", "f16", "int8"] as const) {
      using kernels = await loadVectorKernels({ backend: "wasm" });
      using mean = kernels.weightedMean({ length });
      using bucket = kernels.updateBucket({ length, capacity: 1, encoding });
      const update = bucket.incoming();
      update.values.fill(encoding === "f16" ? 0x4200 : 3);
      mean.add(update, { weight: 1 });
      expect(new Set(mean.result())).toEqual(new Set([3]));
    }
  });

  it("reports a view from before memory grew", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    using mean = kernels.weightedMean({ length: 100 });
    const stale = mean.incoming();
    using large = kernels.weightedMean({ length: 1e6 });
    expect(large.length).toBe(1e6);
    expect(() => mean.add({ encoding: "f32", values: stale }, { weight: 1 })).toThrow(
      "add: expected update.values to be a view of current memory",
    );
    using gallery = kernels.gallery({ dimensions: 100 });
    expect(() => gallery.match({ queries: stale, k: 1 })).toThrow(
      "match: expected queries to be a view of current memory",
    );
  });
});
