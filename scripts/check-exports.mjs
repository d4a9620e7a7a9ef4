// `npm run check`: checks that every export that external code relies on exists, and that every exported name
// of a package has a doc comment.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { apiDocs } from "./api-docs.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Names that external code relies on. */
const promised = {
  "packages/wasm-kernels": [
    "loadKernels",
    "loadPerceptionKernels",
    "loadTrackingKernels",
    "loadVectorKernels",
    "loadTrainingKernels",
    "referenceKernels",
    "shardedGallery",
    "webgpuGallery",
  ],
  "packages/core": [
    "select",
    "hardExampleMining",
    "aggregation",
    "createJointInference",
    "createFederatedLearning",
  ],
  "packages/edge-agent": [
    "createEdgeAgent",
    "superviseModel",
    "exposeModelHost",
    "createModelStore",
    "onnxEstimator",
    "headEstimator",
    "federationTransport",
    "tfjsEstimator",
    "createFeatureCache",
    "trainingPauses",
    "exposeEstimator",
    "workerEstimator",
    "exposeGallery",
    "workerGallery",
    "camera",
    "videoElement",
    "videoFile",
    "videoFrames",
    "directory",
    "rtsp",
    "webcam",
    "restartSource",
    "bigModel",
  ],
  "packages/cloud": [
    "createCloud",
    "bigModelService",
    "createFederation",
    "federationService",
    "sednaAggregation",
    "serve",
  ],
};

const problems = [];

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (entry.name.endsWith(".ts") && !/\.(test|suite|generated)\.ts$/.test(entry.name)) yield path;
  }
}

for (const [folder, names] of Object.entries(promised)) {
  const source = join(root, folder, "src");
  const all = [...sources(source)].map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const index = readFileSync(join(source, "index.ts"), "utf8");
  const reachable =
    index +
    [...index.matchAll(/from "\.\/([^"]+)"/g)]
      .map((match) => readFileSync(join(source, match[1]), "utf8"))
      .join("\n");
  for (const name of names)
    if (!new RegExp(`\\b${name}\\b`).test(reachable)) problems.push(`${folder} does not export ${name}`);

  for (const { path, text } of all) {
    const lines = text.split("\n");
    for (const [i, line] of lines.entries()) {
      const match = /^export (?:declare )?(?:async )?(?:function\*?|const|class|interface|type) (\w+)/.exec(
        line,
      );
      if (!match || /platform\.(node|browser|other)\.ts$/.test(path)) continue;
      const before = lines[i - 1] ?? "";
      if (!before.trimEnd().endsWith("*/"))
        problems.push(`${relative(root, path)}:${i + 1} exports ${match[1]} without a doc comment`);
    }
    if (/^export default/m.test(text)) problems.push(`${relative(root, path)} has a default export`);
  }
}

// If the lock file names a bin differently, npm ci does not link it, and npx would request its name from the
// registry.
const { packages: locked } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
for (const folder of ["packages/edge-agent", "packages/cloud"]) {
  const { bin } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  for (const [name, path] of Object.entries(bin)) {
    const inLock = locked[folder].bin?.[name];
    if (inLock !== path.replace(/^\.\//, ""))
      problems.push(
        `package-lock.json names ${inLock} as the bin ${name} of ${folder}; package.json names ${path}: run npm install`,
      );
  }
}

if (readFileSync(join(root, "docs/api.md"), "utf8") !== apiDocs())
  problems.push("docs/api.md is not what the exports say: run `npm run docs`");

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log("exports: every required export exists and is documented");
