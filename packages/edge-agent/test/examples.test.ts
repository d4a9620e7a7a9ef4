import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readJob } from "../src/cli/read-job.node.ts";

const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the examples", () => {
  it("job.yaml is a valid job and reads its secrets from the environment", async () => {
    await expect(readJob(example("job.yaml"), { environment: {} })).rejects.toThrow(
      "source.rtsp: expected the environment variable CAMERA_URL to be set; got none",
    );
    const job = await readJob(example("job.yaml"), {
      environment: {
        CAMERA_URL: "rtsp://camera/1",
        CLOUD_TOKEN: "t0ken",
        STATE_DIRECTORY: "/var/lib/sedna-edge",
      },
    });
    expect(job).toMatchObject({
      name: "gate-1",
      source: { rtsp: "rtsp://camera/1", fps: 5 },
      samples: { token: "t0ken" },
      data: "/var/lib/sedna-edge",
    });
  });

  it.skipIf(!hasSystemd)(
    `sedna-edge.service passes systemd's verification and exposes little${hasSystemd ? "" : " (no systemd-analyze here)"}`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "sedna-"));
      try {
        const unit = join(folder, "sedna-edge.service");
        await writeFile(
          unit,
          (await readFile(example("sedna-edge.service"), "utf8")).replace("/usr/bin/node", process.execPath),
        );
        expect(
          execFileSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8", stdio: "pipe" }),
        ).toBe("");
        const security = execFileSync(
          "systemd-analyze",
          ["security", "--offline=true", "--threshold=20", unit],
          { encoding: "utf8", stdio: "pipe", env: { ...process.env, SYSTEMD_COLORS: "0" } },
        );
        expect(security).toMatch(/Overall exposure level for sedna-edge\.service: [01]\.\d/);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  it("the Dockerfile installs the versions that are tested here and runs as an unprivileged user", async () => {
    const text = await readFile(example("Dockerfile"), "utf8");
    const { version } = JSON.parse(
      await readFile(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8"),
    ) as { version: string };
    const { devDependencies } = JSON.parse(
      await readFile(fileURLToPath(new URL("../../../package.json", import.meta.url)), "utf8"),
    ) as { devDependencies: Record<string, string> };
    expect(text).toContain(
      `npm install --omit=dev @sedna-js/edge-agent@${version} onnxruntime-node@${devDependencies["onnxruntime-node"]} sharp@${devDependencies["sharp"]}`,
    );
    expect(text).toMatch(/^USER node$/m);
    expect(text).toMatch(/^HEALTHCHECK .* CMD \["sedna-edge", "status"\]$/m);
  });
});
