import { allKernels, type Kernels } from "./kernels.ts";
import { loadPerceptionKernels } from "./perception/load-perception-kernels.ts";
import { loadTrackingKernels } from "./tracking/load-tracking-kernels.ts";
import { loadTrainingKernels } from "./training/load-training-kernels.ts";
import { loadVectorKernels, type LoadKernelsOptions } from "./vectors/load-vector-kernels.ts";

/**
 * All kernels, each set with an instance and memory of its own. A page that needs one set saves the bytes of
 * the others with {@link loadPerceptionKernels}, {@link loadTrackingKernels}, {@link loadVectorKernels} or
 * {@link loadTrainingKernels}.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when a backend was asked for that the engine or the page's Content-Security-Policy
 * refuses; `cause` has the engine's error.
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
