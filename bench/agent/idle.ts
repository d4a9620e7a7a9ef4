import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing, type Figure } from "../result.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const name = "agent-idle";
const metric = "sedna-edge run, an empty directory and no model, after 10 s";
/** Run time of the agent before its memory is measured, in ms. */
const SETTLE_MS = 10_000;

/**
 * Measures the resident memory of an idle agent: the built command, as published, which watches an empty
 * directory while its model's server is unreachable.
 */
export async function benchAgentIdle(): Promise<Figure[]> {
  if (process.platform !== "linux") return [missing({ name, metric, reason: "needs /proc" })];
  execFileSync(
    process.execPath,
    [join(root, "node_modules/typescript/bin/tsc"), "-b", "tsconfig.build.json"],
    { cwd: root, stdio: "inherit" },
  );
  const folder = await mkdtemp(join(tmpdir(), "sedna-idle-"));
  await mkdir(join(folder, "pictures"));
  const job = join(folder, "job.yaml");
  await writeFile(
    job,
    `name: idle\nsource: { directory: pictures }\nmodel: { manifest: "http://127.0.0.1:1/manifest.json", keys: [{ id: none, publicKey: ${"A".repeat(43)}= }] }\nstatus: { port: 0 }\ndata: data\n`,
  );
  // Do not use the package's bin file: in a checkout it runs the source, in a second process.
  const child = spawn(
    process.execPath,
    [join(root, "packages/edge-agent/dist/cli/bin.node.js"), "run", job],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const ended = once(child, "close");
  try {
    const log = { text: "" };
    child.stderr.on("data", (chunk: Buffer) => (log.text += chunk.toString()));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    if (!log.text.includes('"msg":"model-missing"') || child.exitCode !== null)
      throw new Error(`bench ${name}: expected an agent that waits for its model; got ${log.text}`);
    const kilobytes = Number(
      /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1],
    );
    return [{ name, metric, value: (kilobytes * 1024) / 1e6, unit: "MB" }];
  } finally {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  }
}
