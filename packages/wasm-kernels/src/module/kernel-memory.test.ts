import { describe, expect, it } from "vitest";
import { kernelMemory, type ModuleExports } from "./kernel-memory.ts";

/** Returns kernel memory over a module with the given allocator. */
function fake(alloc: (bytes: number) => number) {
  const freed: number[] = [];
  const exports = {
    memory: { buffer: new ArrayBuffer(64) },
    alloc,
    free: (address: number) => void freed.push(address),
  };
  return { memory: kernelMemory(exports as unknown as ModuleExports), exports, freed };
}

describe("kernelMemory()", () => {
  it("throws a RangeError when memory is full", () => {
    const { memory } = fake(() => 0);
    expect(() => memory.allocate(99)).toThrow(
      new RangeError(
        "kernel memory: expected 99 free bytes; got none: memory is full or has too many blocks",
      ),
    );
    expect(() => memory.scratch(1, 2)).toThrow(RangeError);
  });

  it("reads addresses above 2^31 as positive numbers", () => {
    expect(fake(() => -16).memory.allocate(1)).toBe(2 ** 32 - 16);
  });

  it("keeps its scratch block until a call needs a larger one", () => {
    const sizes: number[] = [];
    const { memory, freed } = fake((bytes) => 1024 * sizes.push(bytes));
    expect(memory.scratch(20, 5)).toEqual([1024, 1056]);
    expect(memory.scratch(16)).toEqual([1024]);
    expect(memory.scratch(100, 100)).toEqual([2048, 2160]);
    expect({ sizes, freed }).toEqual({ sizes: [48, 224], freed: [1024] });
  });

  it("creates views of the current memory", () => {
    const { memory, exports } = fake(() => 16);
    exports.memory.buffer = new ArrayBuffer(128);
    expect(memory.floats(64, 16).length).toBe(16);
  });
});
