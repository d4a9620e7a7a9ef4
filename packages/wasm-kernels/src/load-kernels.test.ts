import { afterEach, describe, expect, it, vi } from "vitest";
import { loadKernels } from "./load-kernels.ts";
import { loadPerceptionKernels } from "./perception/load-perception-kernels.ts";

describe("loadKernels()", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("uses WebAssembly if the engine supports it", async () => {
    const relaxed = (await loadKernels()).backend;
    expect(["wasm-relaxed", "wasm"]).toContain(relaxed);
    expect((await loadPerceptionKernels()).backend).toBe("wasm");
  });

  it("gives each caller its own instance", async () => {
    const [a, b] = await Promise.all([loadKernels(), loadKernels()]);
    a.dispose();
    expect(b.nms({ boxes: new Float32Array(4), scores: Float32Array.of(1), iouThreshold: 0.5 })).toEqual(
      Uint32Array.of(0),
    );
  });

  it.each([
    ["has no WebAssembly", undefined],
    [
      "has no simd128",
      { validate: () => false, instantiate: () => Promise.reject(new Error("not reached")) },
    ],
    [
      "blocks WebAssembly because of the page's policy",
      { validate: () => true, instantiate: () => Promise.reject(new EvalError("rejected")) },
    ],
  ])("falls back to the reference kernels if the engine %s", async (_, engine) => {
    vi.stubGlobal("WebAssembly", engine);
    expect((await loadKernels()).backend).toBe("reference");
    await expect(loadKernels({ backend: "wasm" })).rejects.toThrow(
      "loadVectorKernels: expected an engine that runs WebAssembly with simd128",
    );
  });

  it("rejects an unknown backend", async () => {
    await expect(loadKernels({ backend: "gpu" as never })).rejects.toThrow(
      new RangeError(
        'loadVectorKernels: expected backend to be "auto" or "wasm-relaxed" or "wasm" or "reference"; got "gpu"',
      ),
    );
  });
});
