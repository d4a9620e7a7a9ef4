import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSignedKeySet, parseSignedManifest } from "@sedna-js/core/wire";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tinyOnnx } from "../../../testing/fakes/tiny-onnx.ts";

// These tests run the commands as an owner of models does.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const paths = { folder: "", model: "", keys: "", out: "" };
beforeAll(async () => {
  paths.folder = await mkdtemp(join(tmpdir(), "sedna-owner-"));
  paths.model = join(paths.folder, "tiny.onnx");
  paths.keys = join(paths.folder, "keys");
  paths.out = join(paths.folder, "models", "tiny");
  await writeFile(paths.model, tinyOnnx());
});
afterAll(() => rm(paths.folder, { recursive: true }));

const run = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
  const child = spawn(process.execPath, ["--conditions=sedna-source", "--import", "tsx", source, ...args]);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text })));
};
it("creates a key, publishes a model and its next version, serves the model, and replaces the key", async () => {
  const made = await run("keygen", "--out", paths.keys);
  const privateKey = join(paths.keys, "private.pem");
  const { publicKey } = JSON.parse(made.out) as { publicKey: string };
  expect(publicKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(((await stat(privateKey)).mode & 0o777).toString(8)).toBe("600");
  expect(made.out + made.err).not.toContain("PRIVATE");
  expect(await run("keygen", "--out", paths.keys)).toMatchObject({
    code: 2,
    err: expect.stringContaining("expected a directory without a key"),
  });

  const publish = (...more: string[]) =>
    run(
      "publish",
      "--model",
      paths.model,
      "--name",
      "tiny",
      "--license",
      "Apache-2.0",
      "--key",
      privateKey,
      "--out",
      paths.out,
      ...more,
    );
  const first = await publish("--golden", "--task", "heatmap", "--option", "threshold=0.3,fast=true");
  expect([first.code, first.err, JSON.parse(first.out)]).toMatchObject([
    0,
    "",
    { name: "tiny", version: 1, files: 3 },
  ]);
  expect(await publish("--version", "7", "--rollback-of", "1")).toMatchObject({ code: 0, err: "" });
  const { manifest } = parseSignedManifest(await readFile(join(paths.out, "manifest.json")));
  expect(manifest).toMatchObject({ version: 7, rollbackOf: 1, license: "Apache-2.0" });
  expect(await publish("--version", "7")).toMatchObject({
    code: 2,
    err: expect.stringContaining("expected a version above 7; got 7"),
  });

  const newKeys = join(paths.folder, "new-keys");
  const other = JSON.parse((await run("keygen", "--out", newKeys)).out) as { id: string };
  expect(
    await run(
      "trust",
      "--keys",
      join(newKeys, "public.json"),
      "--version",
      "1",
      "--key",
      privateKey,
      "--out",
      paths.out,
    ),
  ).toMatchObject({ code: 0 });
  expect(
    parseSignedKeySet(await readFile(join(paths.out, "keys.json"))).keySet.keys.map((key) => key.id),
  ).toEqual([other.id]);

  const server = spawn(process.execPath, [
    "--conditions=sedna-source",
    "--import",
    "tsx",
    source,
    "serve",
    "--models",
    join(paths.folder, "models"),
    "--port",
    "0",
  ]);
  let text = "";
  server.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await expect.poll(() => text, { timeout: 20_000 }).toContain('"ready"');
  const { url } = JSON.parse(text.split("\n")[0]!) as { url: string };
  for (const name of await readdir(paths.out)) {
    const response = await fetch(`${url}/v1/models/tiny/${name}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(await readFile(join(paths.out, name)))).toBe(
      true,
    );
  }
  server.kill("SIGTERM");
  expect(await new Promise((resolve) => server.on("exit", resolve))).toBe(0);
});

it.each([
  [["publish"], "--model: expected a value; got none"],
  [
    [
      "publish",
      "--model",
      "x",
      "--name",
      "a",
      "--license",
      "MIT",
      "--key",
      "k",
      "--out",
      "o",
      "--task",
      "poetry",
    ],
    "--task: expected one of heatmap, nanodet, classifier, tensors; got poetry",
  ],
  [
    ["publish", "--model", "x", "--name", "a", "--license", "MIT", "--key", "/no/such", "--out", "o"],
    "--key: expected a file to read",
  ],
  [["publish", "--modle", "x"], "unknown option --modle"],
  [["keygen"], "--out: expected a directory; got none"],
  [["serve", "--models", ""], "--models: expected the path of a directory; got nothing"],
])("exits with status 2 and the reason for %j", async (args, message) => {
  expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});
