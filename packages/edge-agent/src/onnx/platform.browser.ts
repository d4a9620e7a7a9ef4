import { SednaError } from "@sedna-js/core";
import type { OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import { importOptional } from "@sedna-js/core/errors";
import type { ExecutionProvider, ModelSource } from "./platform.ts";

export async function importOnnxRuntime(providers: readonly ExecutionProvider[]): Promise<OrtModule> {
  // Two entry points, so that a page without WebGPU fetches only the small runtime.
  const load = (): Promise<unknown> =>
    providers.includes("webgpu") ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm");
  return (await importOptional("onnxruntime-web", { action: "load ONNX Runtime", load })) as OrtModule;
}

export async function defaultProviders(): Promise<readonly ExecutionProvider[]> {
  const adapter =
    "gpu" in navigator && navigator.gpu ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  // A software adapter is correct but many times slower than WASM. Older browsers report it elsewhere, or not
  // at all.
  const info = adapter as {
    readonly info?: { readonly isFallbackAdapter?: boolean };
    readonly isFallbackAdapter?: boolean;
  } | null;
  const isSoftware = info?.info?.isFallbackAdapter ?? info?.isFallbackAdapter ?? false;
  return adapter && !isSoftware ? ["webgpu", "wasm"] : ["wasm"];
}

export function sessionOptions(): Readonly<Record<string, unknown>> {
  return {};
}

export async function readModel(
  source: ModelSource,
  { signal }: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const response = await fetch(source, { signal: signal ?? null }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new SednaError(
      `fetch the model ${String(source)}: expected a response; the network failed: ${String(cause)}`,
      { code: "model-unreadable", retryable: true, cause },
    );
  });
  if (!response.ok)
    throw new SednaError(`fetch the model ${String(source)}: expected status 200; got ${response.status}`, {
      code: "model-unreadable",
      retryable: response.status >= 500,
    });
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/html"))
    throw new SednaError(`fetch the model ${String(source)}: expected an ONNX file; got a page of HTML`, {
      code: "model-unreadable",
    });
  return new Uint8Array(await response.arrayBuffer());
}

export async function hasShaderF16(): Promise<boolean> {
  const adapter =
    "gpu" in navigator && navigator.gpu ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  return (
    (adapter as { readonly features?: ReadonlySet<string> } | null)?.features?.has("shader-f16") ?? false
  );
}
