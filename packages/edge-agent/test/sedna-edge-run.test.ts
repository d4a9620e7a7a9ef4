import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseWorkerReport, type WorkerReport } from "@sedna-js/core/wire";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseExposition } from "../../../testing/checkers/parse-exposition.ts";

// Tests `sedna-edge run` as a device runs it: its own process, a real model, images on a real disk, real
// sockets.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const model = fileURLToPath(new URL("../../../models/tiny-person/model.onnx", import.meta.url));
const paths = { folder: "" };
const open: { children: ChildProcess[]; servers: Server[] } = { children: [], servers: [] };

beforeAll(async () => {
  paths.folder = await mkdtemp(join(tmpdir(), "sedna-"));
});
afterAll(async () => {
  for (const child of open.children) child.kill("SIGKILL");
  for (const server of open.servers) server.closeAllConnections();
  await rm(paths.folder, { recursive: true, maxRetries: 3 });
});

const command = (...args: string[]) => {
  const child = spawn(process.execPath, ["--conditions=sedna-source", "--import", "tsx", source, ...args]);
  open.children.push(child);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  return { child, text, ended: once(child, "close").then(([code]) => code as number | null) };
};
const addPicture = async (name: string, file: string): Promise<void> => {
  await mkdir(join(paths.folder, name, "pictures"), { recursive: true });
  await sharp({ create: { width: 160, height: 120, channels: 3, background: "#456" } })
    .jpeg()
    .toFile(join(paths.folder, name, "pictures", file));
};
/** Writes a job with one image and the given changes. */
const job = async (name: string, change: object = {}): Promise<string> => {
  await addPicture(name, "1.jpg");
  const path = join(paths.folder, name, "job.json");
  await writeFile(
    path,
    JSON.stringify({
      name,
      source: { directory: "pictures" },
      model: { file: model, task: { name: "heatmap" } },
      status: { port: 0 },
      data: "data",
      ...change,
    }),
  );
  return path;
};
const serving = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  open.servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const lines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const running = async (path: string) => {
  const run = command("run", path);
  await expect.poll(() => run.text.err, { timeout: 30_000 }).toContain('"msg":"started"');
  return { ...run, url: lines(run.text.err).find(({ msg }) => msg === "started")!["status"] as string };
};

describe("sedna-edge run", () => {
  it("writes the results of a directory's images as lines of JSON and exits with 0 after the last", async () => {
    const path = await job("files", { source: { directory: "pictures", watch: false }, output: "json" });
    await addPicture("files", "2.jpg");
    await writeFile(join(paths.folder, "files", "pictures", "3.jpg"), "no picture");
    const run = command("run", path);
    expect(await run.ended).toBe(0);
    expect(
      lines(run.text.out).map(({ index, source: by, reason, final }) => [index, by, reason, final]),
    ).toEqual([
      [0, "edge", "easy", true],
      [1, "edge", "easy", true],
    ]);
    for (const row of lines(run.text.out)[0]!["result"] as number[][]) expect(row).toHaveLength(6);
    expect(run.text.err).toContain("skipped a file that is not a readable image");
    expect(run.text.err).toContain("the source has ended");
  });

  it("C25: serves its state while it runs, sends a last report on SIGTERM, and exits with 0", async () => {
    const reports: WorkerReport[] = [];
    const controller = await serving((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("end", () => {
          reports.push(parseWorkerReport(JSON.parse(Buffer.concat(chunks).toString())));
          response.end('{"Status":200,"Message":"OK"}');
        });
    });
    const { url, child, ended, text } = await running(
      await job("watched", { report: { sednaLocalController: controller } }),
    );
    await expect
      .poll(
        async () =>
          ((await (await fetch(`${url}/status`)).json()) as { frames: { answered: number } }).frames.answered,
        { timeout: 30_000 },
      )
      .toBe(1);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const metrics = parseExposition(await (await fetch(`${url}/metrics`)).text());
    expect(metrics.get("sedna_edge_frames_total")!.samples).toEqual([
      { name: "sedna_edge_frames_total", labels: {}, value: 1 },
    ]);
    expect(metrics.get("sedna_edge_model_info")!.samples[0]!.labels).toMatchObject({ backend: "cpu" });
    expect(
      metrics
        .get("sedna_edge_latency_seconds")!
        .samples.find(({ name, labels }) => name.endsWith("_count") && labels["step"] === "edge")!.value,
    ).toBe(1);
    await addPicture("watched", "2.jpg");
    await expect
      .poll(async () => await (await fetch(`${url}/metrics`)).text(), { timeout: 30_000 })
      .toContain("sedna_edge_frames_total 2\n");

    const status = command("status", "--port", new URL(url).port);
    expect(await status.ended).toBe(0);
    expect(status.text.out).toMatch(/^frames {5}2 processed/m);
    expect(status.text.out).toMatch(/^health {5}good$/m);

    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(text.err).toContain("stopping; a second signal exits at once");
    expect(reports).toMatchObject([
      {
        name: "watched",
        ownerName: "watched",
        ownerKind: "jointinferenceservice",
        kind: "inference",
        ownerInfo: { inferenceNumber: 2 },
      },
    ]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("C25: exits at once on a second SIGTERM while a cloud hangs", async () => {
    const asked = { requests: 0 };
    const cloud = await serving(() => void asked.requests++);
    const { child, ended } = await running(
      await job("hanging", {
        policy: "cloud-only",
        deadlineMs: 60_000,
        privacy: { level: "full" },
        bigModel: { url: cloud },
      }),
    );
    await expect.poll(() => asked.requests, { timeout: 30_000 }).toBeGreaterThan(0);
    child.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(child.exitCode).toBe(null);
    child.kill("SIGTERM");
    const started = performance.now();
    expect(await ended).toBe(1);
    expect(performance.now() - started).toBeLessThan(1500);
  });

  it("continues without a model and reports that it is missing", async () => {
    const key = { id: "factory", publicKey: `${"A".repeat(43)}=` };
    const { url, child, ended } = await running(
      await job("modelless", {
        model: { manifest: await serving((_, response) => response.writeHead(404).end()), keys: [key] },
      }),
    );
    const status = command("status", "--port", new URL(url).port);
    expect(await status.ended).toBe(1);
    expect(status.text.out).toContain("not good: there is no model on this device yet");
    expect((await fetch(`${url}/health`)).status).toBe(503);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  it("validates and stages the files that Sedna's local controller writes", async () => {
    const path = await job("hot", {
      update: { pollSeconds: 0.5, sednaConfig: "model_config.json", trustLocalFiles: true },
    });
    const { child, ended, text } = await running(path);
    await expect.poll(() => text.err, { timeout: 30_000 }).toContain('"msg":"model-opened"');
    await copyFile(model, join(paths.folder, "hot", "new.onnx"));
    await writeFile(
      join(paths.folder, "hot", "model_config.json"),
      JSON.stringify({
        model_config: { model_path: "new.onnx", model_update_time: "2026-11-21 00:00:00 +0000 UTC m=+1" },
      }),
    );
    await expect.poll(() => text.err, { timeout: 30_000 }).toContain('"msg":"update-staged"');
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("reports that its status port is in use", async () => {
    const port = Number(new URL(await serving(() => {})).port);
    const run = command("run", await job("taken", { status: { port } }));
    expect(await run.ended).toBe(1);
    expect(run.text.err).toContain("EADDRINUSE");
  });

  it("continues after the reader of its results closes the pipe", async () => {
    const { url, child, ended, text } = await running(await job("pipe", { output: "json" }));
    child.stdout.destroy();
    for (let i = 2; i < 6; i++) await addPicture("pipe", `${i}.jpg`);
    await expect
      .poll(async () => await (await fetch(`${url}/metrics`)).text(), { timeout: 30_000 })
      .toContain("sedna_edge_frames_total 5\n");
    expect(text.err).toContain("standard output is closed");
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});
