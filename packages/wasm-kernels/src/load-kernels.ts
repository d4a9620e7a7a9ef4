import { allKernels, type Kernels } from "./kernels.ts";
import { loadPerceptionKernels } from "./perception/load-perception-kernels.ts";
import { loadTrackingKernels } from "./tracking/load-tracking-kernels.ts";
import { loadTrainingKernels } from "./training/load-training-kernels.ts";
import { loadVectorKernels, type LoadKernelsOptions } from "./vectors/load-vector-kernels.ts";

/**
 * Loads all kernels, each set with its own instance and memory. A page that needs only one set saves the
 * bytes of the others with {@link loadPerceptionKernels}, {@link loadTrackingKernels}, {@link
 * loadVectorKernels}, or {@link loadTrainingKernels}.
 *
 * @throws {RangeError} If the backend is unknown.
 * @throws {Error} If the requested backend is not supported by the engine or is blocked by the page's
 * Content-Security-Policy. `cause` is the engine's error.
 *
 * @example
 * ```ts
 * import { loadKernels } from "@sedna-js/wasm-kernels";
 *
 * const kernels = await loadKernels();
 * const boxes = Float32Array.of(0, 0, 10, 10, 1, 1, 10, 10);
 * console.log([...kernels.nms({ boxes, scores: Float32Array.of(0.9, 0.8), iouThreshold: 0.5 })]); // => [0]
 * kernels.dispose();
 * ```
 */
export async function loadKernels({ backend }: LoadKernelsOptions = {}): Promise<Kernels> {
  const vectors = await loadVectorKernels({ backend });
  const plain = backend === "wasm-relaxed" ? "wasm" : backend;
  return allKernels({
    vectors,
    perception: await loadPerceptionKernels({ backend: plain }),
    tracking: await loadTrackingKernels({ backend: plain }),
    training: await loadTrainingKernels({ backend: plain }),
  });
}
