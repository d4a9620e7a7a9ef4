import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../testing/fakes/tiny-onnx.ts";

// These tests run the command as a device owner does: as a separate process, started from source, on a real
// socket.

const source = fileURLToPath(new URL("../src/cli/bin.node.ts", import.meta.url));
const paths = { folder: "", model: "" };
const children: ChildProcess[] = [];

beforeAll(async () => {
  paths.folder = await mkdtemp(join(tmpdir(), "sedna-"));
  paths.model = join(paths.folder, "double.onnx");
  await writeFile(paths.model, tinyOnnx());
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(paths.folder, { recursive: true });
});

const start = (
  ...args: string[]
): { child: ChildProcess; text: { out: string; err: string }; ended: Promise<number | null> } => {
  const child = spawn(process.execPath, ["--conditions=sedna-source", "--import", "tsx", source, ...args]);
  children.push(child);
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  return { child, text, ended: new Promise((resolve) => child.on("exit", resolve)) };
};
const serving = async (...args: string[]): Promise<ReturnType<typeof start> & { url: string }> => {
  const run = start("serve", "--model", paths.model, "--port", "0", ...args);
  await expect.poll(() => run.text.out, { timeout: 20_000 }).toContain('"ready"');
  return { ...run, url: (JSON.parse(run.text.out.split("\n")[0]!) as { url: string }).url };
};

describe("sedna-cloud", () => {
  it("prints its usage", async () => {
    const help = start("--help");
    expect(await help.ended).toBe(0);
    expect(help.text.out).toContain("serve");
    const serve = start("serve", "--help");
    expect(await serve.ended).toBe(0);
    for (const option of ["--model", "--samples", "--task", "--port", "--origin", "--token", "--max-queue"])
      expect(serve.text.out).toContain(option);
  });

  it("runs from source through the package's bin in a checkout", async () => {
    const bin = spawn(process.execPath, [
      fileURLToPath(new URL("../bin/sedna-cloud.js", import.meta.url)),
      "--version",
    ]);
    const text = { out: "" };
    bin.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
    await new Promise((resolve) => bin.on("exit", resolve));
    expect(text.out).toBe("0.1.0\n");
  });

  it.each([
    [["serve"], "expected at least one of --model, --samples, --models; got none"],
    [["serve", "--samples", ""], "--samples: expected the path of a directory; got nothing"],
    [["serve", "--model", "x.onnx", "--prot", "1"], "unknown option --prot"],
    [
      ["serve", "--model", "x.onnx", "--port", "banana"],
      "--port: expected a whole number from 0 to 65535; got banana",
    ],
    [
      ["serve", "--model", "x.onnx", "--task", "poetry"],
      "--task: expected one of tensors, heatmap, nanodet; got poetry",
    ],
    [["serve", "--model", "x.onnx", "--threshold", "2"], "--threshold: expected a number from 0 to 1; got 2"],
    [["serve", "--model", "x.onnx", "extra"], "unexpected argument extra"],
    [
      ["serve", "--model", "x.onnx", "--origin", "*"],
      "allow an origin: expected one such as https://app.example",
    ],
    [["serve", "--model", "x.onnx", "--name", "a b"], "name a big model: expected letters"],
    [["dance"], "dance"],
  ])("exits with status 2 and the reason for %j", async (args, message) => {
    const run = start(...args);
    expect(await run.ended).toBe(2);
    expect(run.text.err).toContain(message);
    expect(run.text.err).not.toContain("at async");
  });

  it("names the model that it cannot read, and exits with status 1", async () => {
    const missing = start("serve", "--model", "/no/such/model.onnx", "--port", "0");
    expect(await missing.ended).toBe(1);
    expect(missing.text.err).toContain("read the model /no/such/model.onnx: expected a file");
    const broken = join(paths.folder, "broken.onnx");
    await writeFile(broken, tinyOnnx().slice(0, 50));
    const truncated = start("serve", "--model", broken, "--port", "0");
    expect(await truncated.ended).toBe(1);
    expect(truncated.text.err).toContain("expected an ONNX file; got 50 bytes");
  });

  it("responds to the exact bytes of Sedna's Python client", async () => {
    const { url, child } = await serving();
    const { port } = new URL(url);
    const body = '{"data": [[1.0, 2.0, 3.0, 4.0]], "post_process": null}';
    const request = `POST /sedna/predict HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: python-requests/2.28.1\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\n\r\n${body}`;
    const reply = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(request));
      let text = "";
      socket
        .on("data", (chunk) => {
          text += chunk.toString();
          if (text.includes("]]}")) {
            socket.destroy();
            resolve(text);
          }
        })
        .on("error", reject);
    });
    expect(reply).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(reply.slice(reply.indexOf("\r\n\r\n") + 4)).toContain('{"result":[[2,4,6,8]]}');
    child.kill("SIGTERM");
  });

  it("rejects a body of 200 MB before reading it, and continues to serve", async () => {
    const { url, child } = await serving();
    const response = await fetch(`${url}/sedna/predict`, {
      method: "POST",
      body: new Uint8Array(200 * 2 ** 20),
    }).catch((error: unknown) => error);
    // A client that is still sending may see the connection close before it receives the response.
    if (response instanceof Response) expect(response.status).toBe(413);
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    child.kill("SIGTERM");
  });

  it("drains on SIGTERM: completes active requests, then exits with status 0", async () => {
    const { url, child, ended } = await serving();
    const asking = Array.from({ length: 20 }, () =>
      fetch(`${url}/sedna/predict`, { method: "POST", body: JSON.stringify({ data: [[1, 2, 3, 4]] }) }).then(
        (response) => response.status,
      ),
    );
    await Promise.race(asking);
    child.kill("SIGTERM");
    const statuses = await Promise.all(asking.map((one) => one.catch((error: Error) => String(error.cause))));
    expect(await ended).toBe(0);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("reports that the port is in use", async () => {
    const { url, child } = await serving();
    const second = start("serve", "--model", paths.model, "--port", new URL(url).port);
    expect(await second.ended).toBe(1);
    expect(second.text.err).toContain("EADDRINUSE");
    child.kill("SIGTERM");
  });
});
