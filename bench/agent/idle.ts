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
/** How long the agent runs before it is weighed, in ms. */
const SETTLE_MS = 10_000;

/**
 * Resident memory of a device's agent that waits: the built command, as it is published, watching an empty
 * directory, its model's server gone.
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
  // Not by the package's bin: in a checkout that one runs the source, and through a second process.
  const child = spawn(process.execPath, [join(root, "packages/edge-agent/dist/bin.node.js"), "run", job], {
    stdio: ["ignore", "ignore", "pipe"],
  });
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
