import type { BackendName } from "./backend.ts";
import { oneOf } from "./check.ts";
import { decodeBase64, wasmEngine } from "./web-assembly.ts";

/** Options of the loaders of a kernel set without a module for relaxed SIMD. */
export interface LoadKernelSetOptions {
  /**
   * "auto" (the default): WebAssembly if the engine accepts the module, otherwise the slow twin. "wasm": only
   * WebAssembly. "reference": only the slow twin.
   */
  readonly backend?: "auto" | "wasm" | "reference";
}

/** A way to create kernels, and the module that it needs, if any. */
export interface Candidate<Kernels> {
  readonly backend: BackendName;
  /** Module in base64. Without a module, `make` receives `undefined`. */
  readonly base64?: string;
  make(exports: unknown): Kernels;
}

/**
 * Creates kernels with the first candidate that the engine runs, or only with the requested candidate.
 * Candidates are sorted from best to worst. An engine that does not support the instructions of a module
 * rejects it during validation; a page's Content-Security-Policy blocks its instantiation.
 *
 * @throws {RangeError} If the backend is unknown.
 * @throws {Error} If no candidate runs. `cause` is the engine's error.
 */
export async function loadKernelSet<Kernels>(
  action: string,
  {
    backend,
    candidates,
  }: {
    readonly backend: BackendName | "auto" | undefined;
    readonly candidates: readonly Candidate<Kernels>[];
  },
): Promise<Kernels> {
  const choices = ["auto", ...candidates.map((candidate) => candidate.backend)] as const;
  const wanted = oneOf({ action, name: "backend" }, { value: backend ?? "auto", choices });
  let cause: unknown;
  for (const candidate of candidates) {
    if (wanted !== "auto" && wanted !== candidate.backend) continue;
    try {
      return candidate.make(candidate.base64 === undefined ? undefined : await instantiate(candidate.base64));
    } catch (error) {
      cause = error;
    }
  }
  throw new Error(
    `${action}: expected an engine that runs WebAssembly with ${wanted === "wasm-relaxed" ? "relaxed SIMD" : "simd128"}; got ${String(cause)}`,
    { cause },
  );
}

async function instantiate(base64: string): Promise<unknown> {
  const engine = wasmEngine();
  if (engine === undefined) throw new TypeError("no WebAssembly");
  const bytes = decodeBase64(base64);
  if (!engine.validate(bytes))
    throw new TypeError("the engine does not support the instructions of the module");
  return (await engine.instantiate(bytes)).instance.exports;
}
