import { afterAll, describe } from "vitest";
import { gallerySuite } from "./gallery.suite.ts";
import { loadVectorKernels } from "../vectors/load-vector-kernels.ts";

describe.each(["wasm", "reference"] as const)("the gallery of %s kernels", (backend) => {
  const loading = loadVectorKernels({ backend });
  afterAll(async () => (await loading).dispose());

  gallerySuite({ make: async (options) => (await loading).gallery(options), tolerance: 2e-6 });
});
