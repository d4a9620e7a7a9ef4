import { describe, expect, it } from "vitest";
import { selectVariant, variantsFor } from "./select-variant.ts";

const half = { file: "half.onnx", executionProviders: ["webgpu"], precision: "float16" } as const;
const full = {
  file: "full.onnx",
  executionProviders: ["webgpu", "wasm", "cpu"],
  precision: "float32",
} as const;
const small = { file: "small.onnx", executionProviders: ["wasm"], precision: "int8" } as const;
const manifest = { variants: [half, full, small] };

describe("selectVariant()", () => {
  it("returns the first variant that the backend can run, and float16 on WebGPU only if its shaders support it", () => {
    expect(selectVariant(manifest, { backend: "webgpu", shaderF16: true })).toBe(half);
    expect(selectVariant(manifest, { backend: "webgpu", shaderF16: false })).toBe(full);
    expect(selectVariant(manifest, { backend: "wasm", shaderF16: true })).toBe(full);
    expect(selectVariant({ variants: [half] }, { backend: "webgpu", shaderF16: false })).toBeUndefined();
    expect(selectVariant(manifest, { backend: "cloud", shaderF16: true })).toBeUndefined();
  });

  it("lists the variants that a backend can run", () => {
    expect(variantsFor(manifest, "webgpu")).toEqual([half, full]);
    expect(variantsFor({ variants: [small] }, "cpu")).toEqual([]);
  });
});
