/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "./backend.ts";

/**
 * The kernels that work on many long vectors: averaging of model updates, matching against a gallery,
 * training of small heads. What they make is resident in their memory until it is disposed.
 *
 * Bad input throws before anything is touched: a TypeError for a wrong kind of value, a RangeError for
 * a wrong value. After `dispose` every call throws an Error.
 */
export interface VectorKernels {
  readonly backend: BackendName;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}
