import { describe, expect, it } from "vitest";
import { ExactGallery, numbered, vectorsOf } from "../gallery-fixture.suite.ts";
import { gallerySuite } from "../gallery.suite.ts";
import type { WebgpuDevice, WebgpuPipeline } from "./webgpu-device.ts";
import { webgpuGallery } from "./webgpu-gallery.ts";

const adapter = await navigator.gpu?.requestAdapter();
const device = await adapter?.requestDevice();
const tolerance = 2e-6;

/**
 * Wraps a device so that it compiles each shader once. A software adapter needs most of a second per gallery
 * to compile them.
 */
function compilingOnce(inner: WebgpuDevice, limits: Partial<WebgpuDevice["limits"]> = {}): WebgpuDevice {
  const compiled = new Map<string | undefined, Promise<WebgpuPipeline>>();
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = inner.limits;
  return {
    limits: { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension, ...limits },
    lost: inner.lost,
    queue: inner.queue,
    createBuffer: (descriptor) => inner.createBuffer(descriptor),
    createShaderModule: (descriptor) => inner.createShaderModule(descriptor),
    async createComputePipelineAsync(descriptor) {
      const { entryPoint } = descriptor.compute;
      const pipeline = compiled.get(entryPoint) ?? inner.createComputePipelineAsync(descriptor);
      compiled.set(entryPoint, pipeline);
      return pipeline;
    },
    createBindGroup: (descriptor) => inner.createBindGroup(descriptor),
    createCommandEncoder: () => inner.createCommandEncoder(),
    pushErrorScope: (filter) => inner.pushErrorScope(filter),
    popErrorScope: () => inner.popErrorScope(),
  };
}

describe("the WebGPU gallery", { timeout: 60_000 }, () => {
  if (!adapter || !device) {
    it("works on a GPU", ({ skip }) => skip("this browser has no WebGPU adapter, not even a software one"));
    return;
  }
  const usual = compilingOnce(device);
  // Errors that no test expects: the suite must not pass if WebGPU rejects commands.
  const rejected: string[] = [];
  device.addEventListener("uncapturederror", ({ error }) => rejected.push(error.message));

  gallerySuite({
    make: ({ dimensions }) => webgpuGallery({ device: usual, dimensions }),
    tolerance,
    precisions: ["f32"],
  });

  it("splits its rows into as many buffers as the device limits require", async () => {
    const dimensions = 6;
    // Rows of 32 bytes: 40 per buffer, 320 keys per buffer.
    const gallery = webgpuGallery({
      device: compilingOnce(device, { maxStorageBufferBindingSize: 1280 }),
      dimensions,
    });
    const exact = new ExactGallery(dimensions);
    const add = async (ids: number[]) => {
      const vectors = vectorsOf(ids.length * dimensions, ids.length);
      exact.set(ids, vectors);
      await gallery.set(ids, vectors);
    };
    const queries = vectorsOf(5 * dimensions, 8);
    const check = async () =>
      exact.expectBest(await gallery.match({ queries, k: 30 }), { queries, k: 30, tolerance });
    await add(numbered(39));
    await add(numbered(100).map((i) => i + 30));
    await check();
    for (const id of [0, 39, 40, 41, 100, 129, 128, 80]) {
      expect(await gallery.delete(id)).toBe(true);
      exact.rows.delete(id);
    }
    await check();
    await add(numbered(300));
    await check();
    await expect(gallery.set(numbered(400), vectorsOf(400 * dimensions, 1))).rejects.toThrow(
      "set: expected rows to be at most 320 (device limit); got 400",
    );
    await check();
    await gallery.dispose();
  });

  it("grows again after rows were deleted below a buffer boundary", async () => {
    const dimensions = 6;
    // Rows of 32 bytes: 300 per buffer, which is more than the rows of a first buffer.
    const gallery = webgpuGallery({
      device: compilingOnce(device, { maxStorageBufferBindingSize: 9600 }),
      dimensions,
    });
    const exact = new ExactGallery(dimensions);
    const add = async (ids: number[]) => {
      const vectors = vectorsOf(ids.length * dimensions, ids.length);
      exact.set(ids, vectors);
      await gallery.set(ids, vectors);
    };
    await add(numbered(350));
    for (const id of numbered(100)) {
      await gallery.delete(id);
      exact.rows.delete(id);
    }
    await add(numbered(350).map((i) => i + 1000));
    const queries = vectorsOf(3 * dimensions, 9);
    exact.expectBest(await gallery.match({ queries, k: 30 }), { queries, k: 30, tolerance });
    await gallery.dispose();
  });

  it("finds the best thousand rows, even among many equal rows", async () => {
    const dimensions = 4;
    const rows = vectorsOf(5000 * dimensions, 31).map((value) => Math.round(value));
    rows.forEach((_, i) => (rows[i - (i % 4)] = 1));
    const gallery = webgpuGallery({ device: usual, dimensions });
    const exact = new ExactGallery(dimensions);
    await gallery.set(numbered(5000), rows);
    exact.set(numbered(5000), rows);
    for (const k of [1, 7, 999, 1000]) {
      const call = { queries: vectorsOf(70 * dimensions, 5), k };
      exact.expectBest(await gallery.match(call), { ...call, tolerance });
    }
    await gallery.dispose();
  });

  it("reports that the GPU has too little memory and changes nothing", async () => {
    let full = false;
    const small = {
      ...compilingOnce(device),
      popErrorScope: async () =>
        (await device.popErrorScope()) !== null || full ? { message: "simulated memory shortage" } : null,
    };
    const gallery = webgpuGallery({ device: small, dimensions: 3 });
    await gallery.set(["a"], Float32Array.of(1, 0, 0));
    const query = { queries: Float32Array.of(1, 0, 0), k: 1 };
    full = true;
    await expect(gallery.set(numbered(600), vectorsOf(1800, 3))).rejects.toThrow(
      "set: expected enough GPU memory; got an out-of-memory error: simulated memory shortage",
    );
    await expect(gallery.match(query)).rejects.toThrow(
      "match: expected enough GPU memory; got an out-of-memory error: simulated memory shortage",
    );
    full = false;
    expect(gallery.size).toBe(1);
    expect(await gallery.match(query)).toEqual([[{ id: "a", score: 1 }]]);
    await gallery.dispose();
  });

  it("rejects pending and later calls if its device is lost", async () => {
    const own = await (await navigator.gpu.requestAdapter())!.requestDevice();
    const gallery = webgpuGallery({ device: own, dimensions: 3 });
    await gallery.set(["a"], Float32Array.of(1, 0, 0));
    const query = { queries: Float32Array.of(1, 0, 0), k: 1 };
    await gallery.match(query);
    const pending = [gallery.match(query), gallery.set(["b"], query.queries), gallery.delete("a")];
    own.destroy();
    const lost = {
      message: expect.stringContaining(
        "use a WebGPU gallery: expected a usable device; got a lost device (destroyed)",
      ),
      cause: { reason: "destroyed" },
    };
    for (const result of await Promise.allSettled(pending))
      expect(result).toMatchObject({ status: "rejected", reason: lost });
    await expect(gallery.match(query)).rejects.toMatchObject(lost);
    await expect(gallery.set(["b"], query.queries)).rejects.toMatchObject(lost);
    await gallery.dispose();
    await expect(gallery.match(query)).rejects.toThrow(
      "match: expected a gallery in use; got a disposed one",
    );
  });

  it("sends no commands that WebGPU rejects", async () => {
    await device.queue.onSubmittedWorkDone();
    expect(rejected).toEqual([]);
  });
});
