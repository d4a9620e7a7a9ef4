import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { build, type Rollup } from "vite";

/**
 * Returns a function that starts Node Workers from TypeScript source, for tests that start dozens. All source
 * is bundled once, whereas `worker-from-source.mjs` transforms it again in each Worker.
 */
export async function bundledWorker(entry: URL): Promise<(workerData?: unknown) => Worker> {
  const url = new URL(
    `data:text/javascript;base64,${Buffer.from(await workerCode(entry)).toString("base64")}`,
  );
  return (workerData) => new Worker(url, { workerData });
}

/** Bundles TypeScript source into the code of a Node Worker, as one module. */
export async function workerCode(entry: URL): Promise<string> {
  const conditions = ["sedna-source", "node", "import", "module", "default"];
  // A module without a file location can find packages only by their full URLs.
  const native = Object.fromEntries(
    ["onnxruntime-node", "sharp"].map((name) => [name, import.meta.resolve(name)]),
  );
  const output = await build({
    configFile: false,
    logLevel: "silent",
    ssr: {
      noExternal: true,
      external: ["onnxruntime-node", "onnxruntime-web", "sharp"],
      resolve: { conditions },
    },
    build: {
      ssr: fileURLToPath(entry),
      write: false,
      target: "node20",
      rollupOptions: { output: { codeSplitting: false, paths: native } },
    },
  });
  const [chunk] = (output as Rollup.RollupOutput).output;
  return chunk.code;
}
