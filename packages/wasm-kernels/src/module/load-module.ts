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

/** A way to run kernels: what makes them, and the module that it needs, if any. */
export interface Candidate<Kernels> {
  readonly backend: BackendName;
  /** The module in base64; without one, `make` gets no exports. */
  readonly base64?: string;
  make(exports: unknown): Kernels;
}

/**
 * The first of the candidates, best first, that the engine runs; or only the one that was asked for. An
 * engine that doesn't know a module's instructions refuses to validate it; a page's
 * Content-Security-Policy refuses to instantiate it.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when none of them runs; `cause` has the engine's error.
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
    `${action}: expected an engine that runs WebAssembly with ${wanted === "wasm-relaxed" ? "relaxed SIMD" : "simd128"}, got ${String(cause)}`,
    { cause },
  );
}

async function instantiate(base64: string): Promise<unknown> {
  const engine = wasmEngine();
  if (engine === undefined) throw new TypeError("no WebAssembly");
  const bytes = decodeBase64(base64);
  if (!engine.validate(bytes)) throw new TypeError("an engine that refuses the module's instructions");
  return (await engine.instantiate(bytes)).instance.exports;
}
