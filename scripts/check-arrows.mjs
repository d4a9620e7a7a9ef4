// `npm run check`: who may import whom, no cycles between packages, no file too long. DESIGN's arrows as code.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each package may import of ours. */
const packages = {
  "packages/wasm-kernels": [],
  "packages/core": ["@sedna-js/wasm-kernels"],
  "packages/edge-agent": ["@sedna-js/core", "@sedna-js/wasm-kernels"],
  "packages/cloud": ["@sedna-js/core", "@sedna-js/wasm-kernels"],
  demo: ["@sedna-js/edge-agent", "@sedna-js/core"],
};

/** Rooms inside a package, and the rooms that each may import. A room not named here is an error; null may import all. */
const coreRooms = {
  "errors.ts": [],
  "deadline.ts": ["errors.ts"],
  "optional.ts": ["errors.ts"],
  "next-wait.ts": [],
  "or-abort.ts": [],
  "read-pieces.ts": ["or-abort.ts"],
  "box.ts": [],
  "tensor.ts": ["errors.ts"],
  "select.ts": ["errors.ts"],
  "parameters.ts": ["errors.ts"],
  wire: ["errors.ts", "tensor.ts"],
  heads: ["errors.ts", "tensor.ts"],
  metrics: [],
  "hard-example-mining": ["errors.ts", "box.ts", "parameters.ts"],
  estimator: ["errors.ts", "or-abort.ts", "tensor.ts", "wire"],
  datasets: ["errors.ts"],
  aggregation: ["errors.ts", "parameters.ts", "select.ts", "tensor.ts"],
  "update-codec": ["errors.ts", "wire"],
  privacy: ["errors.ts", "aggregation"],
  "weight-store": ["deadline.ts", "errors.ts", "optional.ts", "read-pieces.ts"],
  "secure-sum": ["errors.ts", "wire"],
  mistnet: ["errors.ts", "heads", "privacy", "wire"],
  "federated-learning": [
    "errors.ts",
    "next-wait.ts",
    "or-abort.ts",
    "parameters.ts",
    "select.ts",
    "tensor.ts",
    "estimator",
    "heads",
    "secure-sum",
    "update-codec",
    "wire",
  ],
  vision: ["errors.ts", "box.ts", "tensor.ts", "estimator"],
  "joint-inference": ["errors.ts", "deadline.ts", "estimator", "hard-example-mining"],
  "index.ts": null,
};

/**
 * Rooms of the edge agent, the leaves first. `#platform` is open to all: what it declares has no state. `platform` itself
 * joins the adapters of each platform, so it may import the rooms that they are in.
 */
const edgeRooms = {
  "pause.ts": [],
  "call-listener.ts": [],
  http: [],
  frames: [],
  models: ["http", "pause.ts"],
  worker: ["call-listener.ts", "models"],
  training: ["call-listener.ts", "frames", "models", "onnx-estimator.ts", "platform", "worker"],
  federation: ["call-listener.ts", "http", "models", "pause.ts", "platform", "training"],
  supervisor: ["call-listener.ts", "models", "worker"],
  updates: ["call-listener.ts", "models", "supervisor", "platform"],
  queue: ["http", "platform"],
  privacy: [],
  "big-model": ["http", "pause.ts"],
  sources: ["call-listener.ts", "frames", "http", "pause.ts", "platform"],
  telemetry: ["http", "queue", "supervisor", "updates"],
  platform: ["federation", "frames", "models", "queue", "sources", "telemetry", "training", "updates"],
  job: ["privacy", "queue"],
  "onnx-estimator.ts": [],
  agent: [
    "call-listener.ts",
    "http",
    "models",
    "pause.ts",
    "platform",
    "privacy",
    "queue",
    "sources",
    "supervisor",
    "telemetry",
    "updates",
  ],
  cli: ["agent", "big-model", "federation", "job", "models", "telemetry", "training"],
  "bin.node.ts": ["cli"],
  "index.ts": null,
};

const problems = [];

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", "dist", "target", ".cache"].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/\.(ts|mjs|rs)$/.test(entry.name)) yield path;
  }
}

const imports = (path) =>
  [
    ...readFileSync(path, "utf8").matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^;]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)/g,
    ),
  ].map((match) => match[1] ?? match[2]);
const isTest = (path) => /\.(test|suite|test-d)\.ts$/.test(path) || path.includes("/test/");

for (const [folder, allowed] of Object.entries(packages)) {
  for (const path of files(join(root, folder))) {
    const name = relative(root, path);
    if (isTest(path)) continue;
    for (const target of imports(path)) {
      if (target.startsWith("@sedna-js/") && !allowed.includes(target))
        problems.push(
          `${name} imports ${target}; ${folder} may import ${allowed.join(", ") || "nothing of ours"}`,
        );
      if (target.startsWith("node:") && !/\.node\.ts$|\/bin\/|config\.ts$/.test(path))
        problems.push(`${name} imports ${target}; only *.node.ts may`);
      if (target.startsWith(".")) {
        const file = resolve(dirname(path), target);
        if (!file.startsWith(join(root, folder)) && !/\/models\//.test(file))
          problems.push(`${name} imports ${target}, outside of its package`);
      }
    }
  }
}

for (const [folder, rooms] of Object.entries({
  "packages/core": coreRooms,
  "packages/edge-agent": edgeRooms,
})) {
  const source = join(root, folder, "src");
  for (const path of files(source)) {
    if (isTest(path)) continue;
    const room = relative(source, path).split("/")[0];
    if (!(room in rooms))
      problems.push(`${folder}/src/${room} is a room that scripts/check-arrows.mjs does not know`);
    const allowed = rooms[room];
    if (!allowed) continue;
    for (const target of imports(path).filter((one) => one.startsWith("."))) {
      const to = relative(source, resolve(dirname(path), target)).split("/")[0];
      if (to !== room && !allowed.includes(to))
        problems.push(
          `${relative(root, path)} imports ${to}; ${room} may import ${allowed.join(", ") || "nothing"}`,
        );
    }
  }
}

for (const folder of [...Object.keys(packages), "rust", "scripts", "bench", "models"]) {
  if (!statSync(join(root, folder), { throwIfNoEntry: false })) continue;
  for (const path of files(join(root, folder))) {
    if (path.endsWith(".generated.ts")) continue;
    const text = readFileSync(path, "utf8");
    const lines = text.split("\n").length - 1;
    if (lines > 300) problems.push(`${relative(root, path)} has ${lines} lines; 300 is the ceiling`);
    if (path.endsWith(".ts") && !isTest(path) && /^(export )?(let|var) /m.test(text))
      problems.push(`${relative(root, path)} has module-level mutable state`);
    if (/\bit\.only\(|\bdescribe\.only\(/.test(text))
      problems.push(`${relative(root, path)} runs only some of its tests`);
  }
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log("arrows: every import goes where it may");
