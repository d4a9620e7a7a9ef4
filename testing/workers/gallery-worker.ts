// A Worker for tests: a gallery with its own WASM kernels and memory. Dimensions that no other test uses make
// it fail in certain ways.
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
