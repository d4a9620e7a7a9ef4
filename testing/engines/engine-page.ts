import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createOnnxEstimator, tensors, type Tensors } from "@sedna-js/core";
import { onnxRuntime, type OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import * as ort from "onnxruntime-node";
import { build, preview, type InlineConfig } from "vite";
import { noise, type ExpectedOutputs } from "./engine-check.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const outDir = here("../../.cache/engines");

/**
 * Builds the page of checks and serves it as an app would be served: isolated, with a strict
 * Content-Security-Policy.
 */
export async function serveEnginePage(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const headers = {
    "Content-Security-Policy":
      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' data: blob:",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-store",
  };
  const config: InlineConfig = {
    root: here("."),
    base: "./",
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["sedna-source", "module", "browser", "development|production"] },
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 1000 },
    preview: { headers, host: "127.0.0.1", port: 0 },
  };
  await build(config);
  await writeFile(`${outDir}/expected.json`, JSON.stringify(await expectedOutputs()));
  const server = await preview(config);
  const address = server.httpServer.address() as { port: number };
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** Computes the outputs of Node's ONNX Runtime. */
async function expectedOutputs(): Promise<ExpectedOutputs> {
  const outputs: Record<string, ExpectedOutputs[string]> = {};
  for (const [seed, name] of ["digits-little", "tiny-person"].entries()) {
    const bytes = await readFile(here(`../../models/${name}/model.onnx`));
    const estimator = createOnnxEstimator<Tensors, Tensors>({
      task: tensors(),
      open: async () => ({
        runtime: onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"] }),
        model: bytes,
      }),
    });
    const { inputs } = await estimator.load();
    const shape = inputs[0]!.shape.map((side) => (side < 1 ? 1 : side));
    const answer = await estimator.predict({
      [inputs[0]!.name]: {
        dtype: "float32",
        shape,
        data: noise(
          shape.reduce((product, side) => product * side, 1),
          seed,
        ),
      },
    });
    const [output, { data }] = Object.entries(answer)[0]!;
    outputs[name] = { input: inputs[0]!.name, shape, seed, output, values: Array.from(data as Float32Array) };
    await estimator.dispose();
  }
  return outputs;
}
