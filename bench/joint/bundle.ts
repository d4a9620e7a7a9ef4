import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, createLogger, type Rollup } from "vite";
import type { Figure } from "../result.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The ten lines of a new user: a video, a little model, a big model, and joint inference. */
export const tenLines = `import { bigModel, createJointInference, hardExampleMining, heatmapDetector, onnxEstimator, select, videoElement } from "@sedna-js/edge-agent";

const joint = createJointInference({
  estimator: onnxEstimator({ model: "/model.onnx", task: heatmapDetector() }),
  hardExampleMining: select(hardExampleMining, { method: "IBT", param: { threshold_img: "0.9" } }),
  bigModel: bigModel({ url: "https://cloud.example" }),
});
for await (const { result, source } of joint.run(videoElement(document.querySelector("video")))) {
  document.title = \`\${result.length} found by the \${source}\`;
}
`;

/** The same with an edge agent and the Worker of its models. */
export const agentLines = {
  "main.js": `import { bigModel, camera, createEdgeAgent } from "@sedna-js/edge-agent";

const agent = createEdgeAgent({
  name: "gate",
  source: () => camera(),
  model: { manifest: "/model/manifest.json", keys: [{ id: "2026", publicKey: "${"A".repeat(43)}=" }] },
  createWorker: () => new Worker(new URL("./edge.worker.js", import.meta.url), { type: "module" }),
  hardExampleMining: { method: "IBT" },
  bigModel: bigModel({ url: "https://cloud.example" }),
  samples: { url: "https://cloud.example" },
});
for await (const { result, source } of agent.run()) document.title = \`\${result?.length} found by the \${source}\`;
`,
  "edge.worker.js": 'import { exposeModelHost } from "@sedna-js/edge-agent";\nexposeModelHost();\n',
};

/** The result of bundling an app. */
export interface BundleReport {
  /** Gzipped KiB of all JavaScript except ONNX Runtime's. */
  readonly ourKb: number;
  readonly ourCode: string;
  readonly warnings: readonly string[];
}

/** Builds an empty Vite app with {@link tenLines} or other files against the packages as published. */
export async function bundleReport(
  files: Readonly<Record<string, string>> = { "main.js": tenLines },
): Promise<BundleReport> {
  execFileSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-b", "tsconfig.build.json"],
    { cwd: root, stdio: "inherit" },
  );
  const app = await mkdtemp(join(tmpdir(), "sedna-app-"));
  try {
    await mkdir(join(app, "node_modules/@sedna-js"), { recursive: true });
    for (const name of ["wasm-kernels", "core", "edge-agent"]) {
      await cp(join(root, "packages", name, "dist"), join(app, "node_modules/@sedna-js", name, "dist"), {
        recursive: true,
      });
      await cp(
        join(root, "packages", name, "package.json"),
        join(app, "node_modules/@sedna-js", name, "package.json"),
      );
    }
    for (const name of await readdir(join(root, "node_modules"))) {
      if (
        /^(onnxruntime|comlink$|idb$|zod$|@noble$|flatbuffers|guid|long|platform|protobufjs|@protobufjs|shamir-secret-sharing$|aws4fetch$)/.test(
          name,
        )
      )
        await symlink(join(root, "node_modules", name), join(app, "node_modules", name));
    }
    await writeFile(join(app, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(app, "index.html"),
      '<video src="/video.mp4"></video><script type="module" src="/main.js"></script>',
    );
    for (const [name, text] of Object.entries(files)) await writeFile(join(app, name), text);

    const warnings: string[] = [];
    const logger = createLogger("silent");
    logger.warn = logger.warnOnce = (message) => void warnings.push(message);
    const output = (await build({
      root: app,
      configFile: false,
      logLevel: "silent",
      customLogger: logger,
      worker: { format: "es" },
      build: { target: "es2022", write: false },
    })) as Rollup.RollupOutput;
    const chunks = output.output.filter((one): one is Rollup.OutputChunk => one.type === "chunk");
    const ours = chunks
      .filter((chunk) => !Object.keys(chunk.modules).some((id) => id.includes("onnxruntime-web")))
      .map(({ code }) => code);
    // Worker bundles are emitted as assets, beside ONNX Runtime's own files.
    for (const one of output.output)
      if (one.type === "asset" && one.fileName.endsWith(".js") && !/\/ort\./.test(one.fileName))
        ours.push(String(one.source));
    return {
      ourCode: ours.join("\n"),
      ourKb: ours.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0) / 1024,
      warnings,
    };
  } finally {
    await rm(app, { recursive: true });
  }
}

/** Measures the bytes that this package adds to an app. */
export async function benchBundle(): Promise<Figure[]> {
  const { ourKb, warnings } = await bundleReport();
  if (warnings.length > 0)
    throw new Error(`bench bundle: expected a build without warnings; got ${warnings.join("; ")}`);
  const agent = await bundleReport(agentLines);
  if (agent.warnings.length > 0)
    throw new Error(`bench bundle: expected a build without warnings; got ${agent.warnings.join("; ")}`);
  return [
    { name: "bundle", metric: "ten-line app, gzip, without ONNX Runtime", value: ourKb, unit: "KB" },
    {
      name: "bundle",
      metric: "app with an edge agent, its Worker included, gzip, without ONNX Runtime",
      value: agent.ourKb,
      unit: "KB",
    },
  ];
}
