import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { paddedOnnx, publish, signingKey } from "../../../testing/servers/model-publisher.ts";
import { modelServer, type ModelServer } from "../../../testing/servers/model-server.ts";
import { failure } from "../../../testing/servers/model-store-fixture.ts";
import { createModelStore } from "../src/models/create-model-store.ts";
import { fileBytes } from "../src/storage/file-bytes.node.ts";

// The model store of a device whose process is killed and whose disk is full.

const source = fileURLToPath(new URL("fixtures/model-store-device.ts", import.meta.url));
const key = await signingKey("owner");
const at = { folder: "", server: undefined as unknown as ModelServer, mount: "", why: "" };
beforeAll(async () => {
  at.folder = await mkdtemp(join(tmpdir(), "sedna-device-"));
  at.server = await modelServer();
  const disk = join(at.folder, "disk");
  await mkdir(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], { stdio: "pipe" });
    at.mount = disk;
  } catch (error) {
    at.why = String(error);
  }
});
afterEach(() => void (at.server.mischief = undefined));
afterAll(async () => {
  if (at.mount !== "") execFileSync("umount", ["-l", at.mount], { stdio: "pipe" });
  await at.server.close();
  await rm(at.folder, { recursive: true });
});

/** Runs the device to its end, or kills it after it has printed `lines` lines. */
const device = async (directory: string, lines = Infinity): Promise<Record<string, number>[]> => {
  const child = spawn(
    process.execPath,
    [
      "--conditions=sedna-source",
      "--import",
      "tsx",
      source,
      directory,
      at.server.url,
      JSON.stringify({ id: key.id, publicKey: key.publicKey }),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = once(child, "close");
  const said: Record<string, number>[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Record<string, number>);
    if (said.length === lines) child.kill("SIGKILL");
    if (said.length >= lines) break;
  }
  await ended;
  return said;
};

it("C9: a device that is killed during an installation runs its old model and resumes the download", async () => {
  const directory = join(at.folder, "models");
  at.server.files = await publish(key, { version: 1, content: { "model.onnx": paddedOnnx(3000, 1) } });
  expect((await device(directory)).at(-1)).toEqual({ good: 1 });

  at.server.files = await publish(key, { version: 2, content: { "model.onnx": paddedOnnx(4_000_000, 2) } });
  at.server.asked.length = 0;
  // Each response stops after a chunk and a part of the next, so that the kill happens within a chunk.
  at.server.mischief = (request, response, body) => {
    if (!request.url!.endsWith(".onnx")) return false;
    const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": body!.length - from,
      ...(from > 0 && { "content-range": `bytes ${from}-${body!.length - 1}/${body!.length}` }),
    });
    response.write(body!.subarray(from, from + 1_200_000));
    if (from + 1_200_000 >= body!.length) response.end();
    return true;
  };
  for (let kill = 1; kill <= 3; kill++)
    expect(await device(directory, 2)).toEqual([{ runs: 1 }, { done: kill * 2 ** 20 }]);
  const last = await device(directory);
  expect(last[0]).toEqual({ runs: 1 });
  expect(last.at(-1)).toEqual({ good: 2 });
  expect(at.server.asked.map(({ range }) => range)).toEqual([
    undefined,
    "bytes=1048576-",
    "bytes=2097152-",
    "bytes=3145728-",
  ]);
  expect((await device(directory))[0]).toEqual({ runs: 2 });
  expect((await readdir(directory)).filter((name) => name.endsWith("~"))).toEqual([]);
});

it("C24: on a full disk keeps the old version, removes the partial new one, and installs it when there is space", async ({
  skip,
}) => {
  if (at.mount === "") skip(`requires mounting a disk of 3 MB, as root: ${at.why}`);
  const store = () =>
    createModelStore({
      manifest: at.server.url,
      keys: [key],
      bytes: fileBytes({ directory: join(at.mount, "models") }),
      baseMs: 1,
    });
  at.server.files = await publish(key, { version: 1, content: { "model.onnx": paddedOnnx(1_200_000, 1) } });
  await store().install();
  await store().mark(1, "good");
  const before = await readdir(join(at.mount, "models"));
  at.server.files = await publish(key, { version: 2, content: { "model.onnx": paddedOnnx(2_500_000, 2) } });
  expect(await failure(store().install())).toMatchObject({ code: "storage-full", retryable: true });
  expect((await readdir(join(at.mount, "models"))).toSorted()).toEqual(before.toSorted());
  const found = await store().current();
  expect(found?.manifest.version).toBe(1);
  expect((await found!.read("model.onnx")).length).toBe(1_200_000);
  execFileSync("mount", ["-o", "remount,size=8m", at.mount], { stdio: "pipe" });
  await store().install();
  await store().mark(2, "good");
  expect((await store().current())?.manifest.version).toBe(2);
});
