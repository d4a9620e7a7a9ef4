import { SednaError } from "@sedna-js/core";
import type { OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import { messageOf, importOptional } from "@sedna-js/core/errors";
import { readFile } from "node:fs/promises";
import type { ExecutionProvider, ModelSource } from "./platform.ts";

export async function importOnnxRuntime(_providers: readonly ExecutionProvider[]): Promise<OrtModule> {
  const ort = await importOptional("onnxruntime-node", {
    action: "load ONNX Runtime",
    load: () => import("onnxruntime-node"),
  });
  return ort as unknown as OrtModule;
}

export async function defaultProviders(): Promise<readonly ExecutionProvider[]> {
  return ["cpu"];
}

export function sessionOptions({
  threads = 1,
}: {
  readonly threads?: number;
}): Readonly<Record<string, unknown>> {
  return { intraOpNumThreads: threads, interOpNumThreads: 1 };
}

export async function readModel(
  source: ModelSource,
  { signal }: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (/^https?:/.test(String(source))) {
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
    return new Uint8Array(await response.arrayBuffer());
  }
  try {
    return await readFile(String(source).startsWith("file:") ? new URL(source) : source, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new SednaError(`read the model ${String(source)}: expected a file; got ${messageOf(cause)}`, {
      code: "model-unreadable",
      cause,
    });
  }
}

export async function hasShaderF16(): Promise<boolean> {
  return false;
}
