import type { BackendName } from "./backend.ts";
import { oneOf } from "./check.ts";
import { kernelsWasm } from "./kernels-wasm.generated.ts";
import type { Kernels } from "./kernels.ts";
import { referenceKernels } from "./reference/reference-kernels.ts";
import type { KernelExports } from "./wasm/kernel-exports.ts";
import { wasmKernels } from "./wasm/wasm-kernels.ts";
import { decodeBase64, wasmEngine } from "./web-assembly.ts";

/** Options of {@link loadKernels}. */
export interface LoadKernelsOptions {
  /**
   * "auto" (the default): WebAssembly where the engine accepts it, else the slow twin. "wasm": only
   * WebAssembly. "reference": only the slow twin.
   */
  readonly backend?: "auto" | "wasm" | "reference";
}

/** The modules, best first. An engine that doesn't know a module's instructions refuses to validate it. */
const modules: readonly { readonly backend: BackendName; readonly base64: string }[] = [{ backend: "wasm", base64: kernelsWasm }];

/**
 * Kernels with an instance and memory of their own. The module is part of the code, so nothing is fetched.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when "wasm" was asked for and the engine has no WebAssembly with simd128, or the page's
 * Content-Security-Policy forbids it (it must allow `'wasm-unsafe-eval'`); `cause` has the engine's error.
 */
export async function loadKernels(options: LoadKernelsOptions = {}): Promise<Kernels> {
  const backend = oneOf(
    { action: "loadKernels", name: "backend" },
    { value: options.backend ?? "auto", choices: ["auto", "wasm", "reference"] },
  );
  if (backend === "reference") return referenceKernels();
  try {
    return await instantiate();
  } catch (cause) {
    if (backend === "auto") return referenceKernels();
    throw new Error(`loadKernels: expected an engine that runs WebAssembly with simd128, got ${String(cause)}`, { cause });
  }
}

async function instantiate(): Promise<Kernels> {
  const engine = wasmEngine();
  if (engine === undefined) throw new TypeError("no WebAssembly");
  for (const { backend, base64 } of modules) {
    const bytes = decodeBase64(base64);
    if (!engine.validate(bytes)) continue;
    const { instance } = await engine.instantiate(bytes);
    return wasmKernels(instance.exports as KernelExports, backend);
  }
  throw new TypeError("no simd128");
}
