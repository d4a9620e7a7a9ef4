import { SednaError } from "@sedna-js/core";
import { hasShaderF16, type ExecutionProvider } from "#platform/onnx";
import { checkGolden } from "../models/check-golden.ts";
import type { VerifiedModel } from "../models/model-store.ts";
import type { ModelToOpen } from "../worker/protocol.ts";
import { openHostedModel, type HostedModel, type OpenedModel } from "./hosted-model.ts";
import { selectVariant } from "./select-variant.ts";

/** Options of {@link openOnBackend}. */
export interface OpenOnBackendOptions {
  readonly createWorker: () => unknown;
  /** CPU threads, in Node. */
  readonly threads: number | undefined;
  readonly runTimeoutMs: number | undefined;
  readonly openTimeoutMs: number;
  /** Runs the golden case of the model first: a device that was lost may return zeros. */
  readonly suspect: boolean;
  /** Aborts opening, and ends the Worker. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Opens a model on a backend, in a new Worker. Never rejects. */
export async function openOnBackend(
  model: VerifiedModel,
  backend: ExecutionProvider,
  { createWorker, threads, suspect, signal, ...timing }: OpenOnBackendOptions,
): Promise<OpenedModel> {
  let hosted: HostedModel | undefined;
  const stop = (): void => void hosted?.kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const toOpen = { ...(await readVariant(model, backend, signal)), threads };
    signal.throwIfAborted();
    const opened = await openHostedModel({
      worker: createWorker(),
      backend,
      model: toOpen,
      signal,
      ...timing,
    });
    hosted = opened.hosted;
    if (!hosted) return opened;
    signal.throwIfAborted();
    if (suspect) {
      const { ask } = hosted;
      const run = { run: (feeds: never) => ask(({ run }) => run(feeds)) };
      const { mismatch } = await checkGolden(run, model, { maxCases: 1, signal });
      if (mismatch) {
        void hosted.kill();
        return { failure: { reason: "wrong-output", error: mismatch } };
      }
    }
    return { hosted };
  } catch (error) {
    void hosted?.kill();
    return { failure: hosted?.failureOf(error) ?? { reason: "open-failed", error } };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Reads the files of the variant that fits a backend. */
async function readVariant(
  model: VerifiedModel,
  backend: ExecutionProvider,
  signal: AbortSignal,
): Promise<Pick<ModelToOpen, "model" | "externalData" | "task" | "executionProvider">> {
  const { manifest } = model;
  const shaderF16 =
    backend === "webgpu" &&
    manifest.variants.some(({ precision }) => precision === "float16") &&
    (await hasShaderF16());
  const variant = selectVariant(manifest, { backend, shaderF16 });
  if (!variant)
    throw new SednaError(
      `open the model ${manifest.name} on ${backend}: expected a GPU with shader-f16; got one without`,
      { code: "unsupported-platform" },
    );
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = await model.read(path, { signal });
    // A view of a larger buffer cannot be transferred alone.
    return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
  };
  const bytes = await read(variant.file);
  const externalData = await Promise.all(
    (variant.externalData ?? []).map(async (path) => ({ path, data: await read(path) })),
  );
  return { model: bytes, externalData, task: manifest.task, executionProvider: backend };
}
