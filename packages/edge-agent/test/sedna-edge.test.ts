import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Tests the command as a device's owner runs it: a separate process, started from source.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const paths = { folder: "" };
const children: ChildProcess[] = [];

beforeAll(async () => {
  paths.folder = await mkdtemp(join(tmpdir(), "sedna-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(paths.folder, { recursive: true });
});

const start = (args: readonly string[], { env = {} }: { readonly env?: NodeJS.ProcessEnv } = {}) => {
  const child = spawn(process.execPath, ["--conditions=sedna-source", "--import", "tsx", source, ...args], {
    env: { ...process.env, ...env },
  });
  children.push(child);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  return { child, text, ended: once(child, "close").then(([code]) => code as number | null) };
};
const job = async (name: string, text: string): Promise<string> => {
  const path = join(paths.folder, name);
  await writeFile(path, text);
  return path;
};
const least =
  "name: gate\nsource: { directory: pictures }\nmodel: { file: model.onnx, task: { name: heatmap } }\n";

describe("sedna-edge", () => {
  it("prints its usage", async () => {
    const help = start(["--help"]);
    expect(await help.ended).toBe(0);
    for (const command of ["status", "doctor", "check"]) expect(help.text.out).toContain(command);
    const status = start(["status", "--help"]);
    expect(await status.ended).toBe(0);
    expect(status.text.out).toContain("--port");
  });

  it("runs from the package's bin file, in a checkout from source", async () => {
    const bin = spawn(process.execPath, [
      fileURLToPath(new URL("../bin/sedna-edge.js", import.meta.url)),
      "--version",
    ]);
    const text = { out: "" };
    bin.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
    await once(bin, "close");
    expect(text.out).toBe("0.1.0\n");
  });

  it.each([
    // No colors, because the output may be a log.
    [["dance"], "Unknown command dance\n", "Try: sedna-edge --help"],
    [["check"], "JOB", "Try: sedna-edge check --help"],
    [
      ["check", "/no/such/job.yaml"],
      "read /no/such/job.yaml: expected a job file; got ENOENT",
      "Try: sedna-edge check --help",
    ],
    [["status", "--prot", "1"], "unknown option --prot", "Try: sedna-edge status --help"],
    [
      ["status", "--port", "banana"],
      "--port: expected a whole number from 0 to 65535; got banana",
      "Try: sedna-edge status --help",
    ],
    [["status", "now"], "unexpected argument now", "Try: sedna-edge status --help"],
  ])("reports the problem of %j with a hint and exit status 2", async (args, message, hint) => {
    const run = start(args);
    expect(await run.ended).toBe(2);
    expect(run.text.err).toContain(message);
    expect(run.text.err).toContain(hint);
    expect(run.text.err).not.toContain("at async");
  });
});

describe("sedna-edge check", () => {
  it("accepts a valid job, with paths relative to it and data in systemd's directory", async () => {
    const run = start(["check", await job("good.yaml", least)], {
      env: { STATE_DIRECTORY: "/var/lib/sedna-edge" },
    });
    expect(await run.ended).toBe(0);
    expect(run.text.out).toContain(
      "valid. gate: frames from directory, model from a file without a signature, data in /var/lib/sedna-edge\n",
    );
  });

  it("reports every problem of an invalid job with its path and prints no secrets", async () => {
    const path = await job(
      "bad.yaml",
      `${least}bigModel: { url: cloud, token: "\${CLOUD_TOKEN}" }\nstatus: { prot: 1 }\n`,
    );
    const run = start(["check", path], { env: { CLOUD_TOKEN: "not a token" } });
    expect(await run.ended).toBe(2);
    expect(run.text.err).toContain(
      `read ${path}: bigModel.url: expected a URL such as https://cloud.example; got "cloud"`,
    );
    expect(run.text.err).toContain(
      `read ${path}: status.prot: expected one of port, host; got an unknown key: did you mean port?`,
    );
    expect(run.text.err).not.toContain("not a token");
  });

  it("reports the position of a YAML error and rejects a file whose aliases expand without bound", async () => {
    const torn = start(["check", await job("torn.yaml", "name: [gate\nsource: x")]);
    expect(await torn.ended).toBe(2);
    expect(torn.text.err).toMatch(/expected YAML or JSON; got: .* at line \d/);
    const bomb = [
      "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
      ...Array.from(
        { length: 9 },
        (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`,
      ),
    ].join("\n");
    const laughs = start(["check", await job("bomb.yaml", bomb)]);
    expect(await laughs.ended).toBe(2);
    expect(laughs.text.err).toContain("expected YAML or JSON; got: Excessive alias count");
  });
});

describe("sedna-edge status", () => {
  it("exits with 1 if nothing or another server listens", async () => {
    const server = createServer((_, response) => response.end("<html>"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = String((server.address() as AddressInfo).port);
    const other = start(["status", "--port", port]);
    expect(await other.ended).toBe(1);
    expect(other.text.err).toMatch(/expected the agent's answer within 3 s; got: /);
    server.close();
    await once(server, "close");
    const gone = start(["status", "--port", port]);
    expect(await gone.ended).toBe(1);
    expect(gone.text.err).toContain("nothing listens there: sedna-edge does not run");
  });
});

describe("sedna-edge doctor", () => {
  it("checks the device and the job's requirements and exits with 1 if one is missing", async () => {
    const path = await job(
      "far.yaml",
      `${least}data: ${join(paths.folder, "data")}\nbigModel: { url: "http://127.0.0.1:9" }\n`,
    );
    const run = start(["doctor", path]);
    expect(await run.ended).toBe(1);
    expect(run.text.out).toMatch(/^ok {4}node +v\d+/m);
    expect(run.text.out).toMatch(/^fail {2}big model +http:\/\/127\.0\.0\.1:9\/sedna does not respond/m);
    expect(run.text.out).toMatch(/^fail {2}model file +ENOENT: no such file.*model\.onnx/m);
    expect(run.text.out).toMatch(/^ok {4}data directory +.*data will be made$/m);
  });

  it("runs without a job and prints JSON", async () => {
    const run = start(["doctor", "--json"]);
    expect(await run.ended).toBe(0);
    expect((JSON.parse(run.text.out) as { name: string }[]).map(({ name }) => name)).toEqual([
      "node",
      "onnxruntime-node",
      "sharp",
      "ffmpeg",
      "memory",
      "data directory",
      "disk",
    ]);
  });
});
