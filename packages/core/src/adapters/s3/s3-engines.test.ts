import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { weightStoreSuite } from "../../../../../testing/suites/weight-store-suite.ts";
import { s3Weights } from "./s3-weights.ts";

// Runs the same suite on third-party S3 servers, if they are on PATH.

const keys = { accessKeyId: "tester-key", secretAccessKey: "secret/with+signs" };
interface Engine {
  readonly name: string;
  readonly install: string;
  readonly start: (port: number, folder: string) => ChildProcess;
}
const engines: readonly Engine[] = [
  {
    name: "moto_server",
    install: "pip install 'moto[server]'",
    start: (port) => spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" }),
  },
  {
    name: "versitygw",
    install: "go install github.com/versity/versitygw/cmd/versitygw@latest",
    start: (port, folder) =>
      spawn(
        "versitygw",
        [
          "--port",
          `127.0.0.1:${port}`,
          "--access",
          keys.accessKeyId,
          "--secret",
          keys.secretAccessKey,
          "posix",
          folder,
        ],
        { stdio: "ignore" },
      ),
  },
];
const isPresent = (name: string): boolean =>
  spawnSync(process.platform === "win32" ? "where" : "which", [name]).status === 0;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

for (const { name, install, start } of engines) {
  if (!isPresent(name)) {
    it.skip(`the WeightStore port: S3, by ${name} (SKIPPED: ${name} is not on PATH; to have it: ${install})`, () => {});
    continue;
  }
  describe(name, () => {
    const running: { process?: ChildProcess; endpoint: string; folder: string; buckets: number } = {
      endpoint: "",
      folder: "",
      buckets: 0,
    };
    const client = new AwsClient({ ...keys, service: "s3", region: "us-east-1", retries: 0 });

    beforeAll(async () => {
      const port = await freePort();
      running.folder = await mkdtemp(join(tmpdir(), "sedna-s3-"));
      running.endpoint = `http://127.0.0.1:${port}`;
      running.process = start(port, running.folder);
      await vi.waitFor(async () => expect((await client.fetch(running.endpoint)).ok).toBe(true), {
        timeout: 55_000,
        interval: 200,
      });
    }, 60_000);
    afterAll(async () => {
      const { process } = running;
      if (process && process.exitCode === null) {
        process.kill("SIGKILL");
        await once(process, "exit");
      }
      await rm(running.folder, { recursive: true, force: true });
    });

    const newBucket = async (): Promise<string> => {
      const bucket = `weights-${running.buckets++}`;
      const { ok, status } = await client.fetch(`${running.endpoint}/${bucket}`, { method: "PUT" });
      if (!ok) throw new Error(`make a bucket: expected success; got ${status}`);
      return bucket;
    };
    weightStoreSuite(name, async () =>
      s3Weights({ ...keys, endpoint: running.endpoint, aggDataPath: `s3://${await newBucket()}/jobs/fl` }),
    );

    it("reports a missing bucket", async () => {
      const store = s3Weights({ ...keys, endpoint: running.endpoint, aggDataPath: "s3://never-made" });
      await expect(store.put("a", Uint8Array.of(1))).rejects.toMatchObject({
        code: "cloud-refused",
        message: expect.stringContaining("NoSuchBucket"),
      });
      await expect(store.get("a", { maxBytes: 10 })).rejects.toMatchObject({ code: "cloud-refused" });
    });
  });
}
