import type { VectorBackend } from "./backend.ts";
import type { VectorKernels } from "./vector-kernels.ts";

/** The public vector kernels over a backend: every check is made here, once for all backends. */
export function createVectorKernels(backend: VectorBackend): VectorKernels {
  let open: VectorBackend | undefined = backend;

  const dispose = () => {
    open = undefined;
  };

  return {
    backend: backend.name,
    dispose,
    [Symbol.dispose]: dispose,
  };
}
