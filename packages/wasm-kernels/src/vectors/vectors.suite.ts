import { describe, expect, it } from "vitest";
import { averagingSuite } from "./averaging.suite.ts";
import { checksumSuite } from "./checksum.suite.ts";
import { underTest } from "../module/under-test.suite.ts";
import type { VectorKernels } from "./vector-kernels.ts";

/** Tests that a backend of the vector kernels must pass. Call it inside a `describe`. */
export function vectorsSuite(make: () => Promise<VectorKernels>): void {
  const kernels = underTest(make);

  averagingSuite(kernels);
  checksumSuite({ kernels, make });

  describe("dispose()", () => {
    it("makes every later call throw, including calls of objects that the kernels created", async () => {
      const own = await make();
      const mean = own.weightedMean({ length: 1 });
      const gallery = own.gallery({ dimensions: 1 });
      gallery.dispose();
      expect(() => gallery.match({ queries: Float32Array.of(1), k: 1 })).toThrow(
        "match: expected a gallery in use; got a disposed one",
      );
      own.dispose();
      own[Symbol.dispose]();
      expect(() => own.gallery({ dimensions: 1 })).toThrow(
        "gallery: expected kernels in use; got disposed ones",
      );
      expect(() => mean.result()).toThrow("result: expected kernels in use; got disposed ones");
    });
  });
}
