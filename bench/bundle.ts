import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, createLogger, type Rollup } from "vite";
import type { Figure } from "./result.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Ten lines of a new user: a video, a little model, a big one, and their joint answers. */
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

/** What a bundler makes of {@link tenLines}. */
export interface BundleReport {
  /** Gzipped KiB of all JavaScript that is not ONNX Runtime's. */
  readonly ourKb: number;
  readonly ourCode: string;
  readonly warnings: readonly string[];
}

/** Builds an empty Vite app with {@link tenLines} against the packages as they are published. */
export async function bundleReport(): Promise<BundleReport> {
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  const app = await mkdtemp(join(tmpdir(), "sedna-app-"));
  try {
    await mkdir(join(app, "node_modules/@sedna-js"), { recursive: true });
    for (const name of ["wasm-kernels", "core", "edge-agent"]) {
      await cp(join(root, "packages", name, "dist"), join(app, "node_modules/@sedna-js", name, "dist"), { recursive: true });
      await cp(join(root, "packages", name, "package.json"), join(app, "node_modules/@sedna-js", name, "package.json"));
    }
    for (const name of await readdir(join(root, "node_modules"))) {
      if (/^(onnxruntime|comlink$|idb$|zod$|@noble$|flatbuffers|guid|long|platform|protobufjs|@protobufjs)/.test(name)) await symlink(join(root, "node_modules", name), join(app, "node_modules", name));
    }
    await writeFile(join(app, "package.json"), '{ "type": "module" }');
    await writeFile(join(app, "index.html"), '<video src="/video.mp4"></video><script type="module" src="/main.js"></script>');
    await writeFile(join(app, "main.js"), tenLines);

    const warnings: string[] = [];
    const logger = createLogger("silent");
    logger.warn = logger.warnOnce = (message) => void warnings.push(message);
    const output = (await build({ root: app, configFile: false, logLevel: "silent", customLogger: logger, build: { target: "es2022", write: false } })) as Rollup.RollupOutput;
    const chunks = output.output.filter((one): one is Rollup.OutputChunk => one.type === "chunk");
    const ours = chunks.filter((chunk) => !Object.keys(chunk.modules).some((id) => id.includes("onnxruntime-web")));
    return { ourCode: ours.map(({ code }) => code).join("\n"), ourKb: ours.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0) / 1024, warnings };
  } finally {
    await rm(app, { recursive: true });
  }
}

/** Bytes that an app carries for us. */
export async function benchBundle(): Promise<Figure[]> {
  const { ourKb, warnings } = await bundleReport();
  if (warnings.length > 0) throw new Error(`bench bundle: expected a build without warnings; got ${warnings.join("; ")}`);
  return [{ name: "bundle", metric: "ten-line app, gzip, without ONNX Runtime", value: ourKb, unit: "KB" }];
}
