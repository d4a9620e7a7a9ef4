import { describe, expect, it } from "vitest";
import { loadVectorKernels } from "../load-vector-kernels.ts";

// What can only go wrong where memory is one block that grows.
describe("the memory of the vector kernels", () => {
  it("has room for thousands of small things", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    const means = Array.from({ length: 1500 }, () => kernels.weightedMean({ length: 1 }));
    for (const [i, mean] of means.entries())
      mean.add({ encoding: "f32", values: Float32Array.of(i) }, { weight: 1 });
    expect(means.every((mean, i) => mean.result()[0] === i)).toBe(true);
  });

  it("is given back where there was too little for all that is needed", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    expect(() => kernels.updateBucket({ length: 2.5e8, encoding: "int8", capacity: 9 })).toThrow(
      "kernel memory: expected at most 2147483647 bytes in one block",
    );
    using other = kernels.updateBucket({ length: 1e8, encoding: "int8", capacity: 5 });
    expect(other.capacity).toBe(5);
    for (let i = 0; i < 3; i++) {
      // Room for the block of 2.1 GB, none for the result beside it.
      expect(() => kernels.updateBucket({ length: 5.3e8, capacity: 4, encoding: "int8" })).toThrow(
        "memory is full",
      );
    }
    using small = kernels.weightedMean({ length: 1000 });
    small.add({ encoding: "f32", values: new Float32Array(1000).fill(2) }, { weight: 1 });
    expect(small.result()[999]).toBe(2);
  });

  it("refuses the room of an update that was added before", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    using bucket = kernels.updateBucket({ length: 4, capacity: 3 });
    const { values } = bucket.incoming() as { values: Float32Array };
    bucket.add({ encoding: "f32", values }, { weight: 1 });
    values.fill(7);
    expect(() => bucket.add({ encoding: "f32", values }, { weight: 1 })).toThrow(
      "add: expected the room of this update, got that of an earlier one: ask incoming() anew for each",
    );
    expect(bucket.count).toBe(1);
  });

  it("doesn't grow under an update that lies in it", async () => {
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

  it("says so where a view is of memory before it grew", async () => {
    using kernels = await loadVectorKernels({ backend: "wasm" });
    using mean = kernels.weightedMean({ length: 100 });
    const stale = mean.incoming();
    using large = kernels.weightedMean({ length: 1e6 });
    expect(large.length).toBe(1e6);
    expect(() => mean.add({ encoding: "f32", values: stale }, { weight: 1 })).toThrow(
      "add: expected update.values to be a view of memory as it is now",
    );
    using gallery = kernels.gallery({ dimensions: 100 });
    expect(() => gallery.match({ queries: stale, k: 1 })).toThrow(
      "match: expected queries to be a view of memory as it is now",
    );
  });
});
