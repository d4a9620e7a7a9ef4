// A Worker for tests: a gallery of WASM kernels with a memory of their own. Dimensions that no test else has
// make it fail in its own ways.
import { exposeGallery } from "@sedna-js/edge-agent";
import { loadVectorKernels } from "@sedna-js/wasm-kernels";

exposeGallery(async (options) => {
  const gallery = (await loadVectorKernels({ backend: "wasm" })).gallery(options);
  if (options.dimensions === 1001) gallery.set(["already here"], new Float32Array(1001).fill(1));
  if (options.dimensions !== 1002) return gallery;
  return {
    ...gallery,
    delete(id) {
      if (id === "crash")
        setTimeout(() => {
          throw new Error("the worker's own bug");
        });
      return new Promise(() => {});
    },
  };
});
