import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkDirectory } from "./doctor.node.ts";
import { diagnose } from "./doctor.ts";
import { type DiagnoseOptions } from "./diagnose-options.ts";
import type { HealthCheck } from "./health-check.ts";
import { serverChecks } from "./server-checks.ts";

const open: Server[] = [];
const paths = { folder: "" };
beforeAll(async () => {
  paths.folder = await mkdtemp(join(tmpdir(), "sedna-"));
});
afterAll(() => rm(paths.folder, { recursive: true }));
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  open.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/**
 * A server like this project's cloud: its health endpoint is public, the other endpoints require the token.
 */
const cloud =
  (token?: string, ready = true): RequestListener =>
  (request, response) => {
    const health = request.url === "/v2/health/ready";
    if (!health && token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return void response.writeHead(401).end();
    response
      .writeHead(
        health
          ? ready
            ? 200
            : 503
          : ["/v2", "/sedna", "/v2/models/people"].includes(request.url!)
            ? 200
            : 404,
      )
      .end("{}");
  };
const of = async (name: string, options: DiagnoseOptions): Promise<HealthCheck | undefined> =>
  (await serverChecks(options)).find((check) => check.name === name);

describe("serverChecks()", () => {
  it("reports which servers are ready", async () => {
    const [url, starting] = [await serving(cloud("t0ken")), await serving(cloud(undefined, false))];
    const checks = await serverChecks({
      bigModel: { url, token: "t0ken", protocol: "oip", model: "people" },
      samples: { url: `${url}/`, token: "t0ken" },
      localController: { url: starting },
    });
    expect(
      checks.filter(({ found }) => found.includes(url)).map(({ name, status }) => [name, status]),
    ).toEqual([
      ["big model", "ok"],
      ["sample service", "ok"],
    ]);
    expect(checks.find(({ name }) => name === "clock")).toEqual({
      name: "clock",
      status: "ok",
      found: "agrees with the server's",
    });
    expect(checks.find(({ name }) => name === "local controller")).toMatchObject({ status: "ok" });
    expect(await of("sample service", { samples: { url: starting } })).toMatchObject({
      status: "warn",
      found: expect.stringContaining("not ready yet"),
    });
  });

  it("reports a wrong token, model, or path", async () => {
    const url = await serving(cloud("t0ken"));
    expect(await of("sample service", { samples: { url, token: "guess" } })).toMatchObject({
      status: "fail",
      found: `${url} rejects the token`,
    });
    expect(await of("sample service", { samples: { url } })).toMatchObject({
      status: "fail",
      found: `${url} rejects without a token`,
    });
    expect(await of("big model", { bigModel: { url, token: "t0ken", model: "cars" } })).toMatchObject({
      status: "fail",
      found: `${url}/cars answers 404`,
      fix: expect.stringContaining("bigModel.model"),
    });
    expect(await of("sample service", { samples: { url: `${url}/app`, token: "t0ken" } })).toMatchObject({
      status: "fail",
      fix: expect.stringContaining("without a path"),
    });
  });

  it("accepts Sedna's own server, which has no health endpoint", async () => {
    const url = await serving((request, response) =>
      response.writeHead(request.url === "/sedna" ? 200 : 404).end("{}"),
    );
    expect(await of("big model", { bigModel: { url } })).toEqual({
      name: "big model",
      status: "ok",
      found: `${url}/sedna responds as Sedna's server does`,
    });
  });

  it("C2: does not wait for a server that hangs, and names one that is down", async () => {
    const hanging = await serving(() => {});
    const gone = await serving(() => {});
    open.pop()!.close();
    const started = performance.now();
    const checks = await serverChecks({
      samples: { url: hanging },
      localController: { url: gone },
      deadlineMs: 200,
    });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(checks.find(({ name }) => name === "sample service")).toMatchObject({
      status: "fail",
      found: expect.stringContaining(`${hanging}/v2/health/ready does not respond`),
    });
    expect(checks.find(({ name }) => name === "local controller")).toMatchObject({
      status: "fail",
      found: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it.each([
    [-3_600_000, "fail", "3600 s behind the server's"],
    [3_600_000, "fail", "ahead of the server's"],
    [60_000, "warn", "ahead of the server's"],
    [1000, "ok", "agrees with the server's"],
  ])("C15: rates a clock that is off by %d ms as %s", async (offset, status, found) => {
    const url = await serving(cloud());
    expect(await of("clock", { bigModel: { url }, wallNow: () => Date.now() + offset })).toMatchObject({
      status,
      found: expect.stringContaining(found.slice(5)),
    });
  });

  it("reports the result of verifying the model's signature", async () => {
    const good = { check: async () => ({ name: "people", version: 3 }) };
    expect(await of("model", { model: good })).toEqual({
      name: "model",
      status: "ok",
      found: "people version 3, signed by a key of the job",
    });
    expect(
      await of("model", {
        model: {
          check: () =>
            Promise.reject(new Error("verify the manifest: expected a signature of a trusted key; got none")),
        },
      }),
    ).toMatchObject({ status: "fail", found: expect.stringContaining("trusted key") });
  });
});

describe("diagnose()", () => {
  // Each test loads native packages in child processes.
  it(
    "checks Node, the runtime, and sharp, the packages in child processes, and then the servers",
    { timeout: 60_000 },
    async () => {
      const checks = await diagnose({ directory: paths.folder, samples: { url: await serving(cloud()) } });
      expect(checks.map(({ name }) => name)).toEqual([
        "node",
        "onnxruntime-node",
        "sharp",
        "ffmpeg",
        "memory",
        "data directory",
        "disk",
        "sample service",
      ]);
      expect(
        checks.filter(({ name }) => !["memory", "disk"].includes(name)).map(({ status }) => status),
      ).toEqual(["ok", "ok", "ok", "ok", "ok", "ok"]);
      expect(checks.find(({ name }) => name === "disk")!.found).toMatch(/^\d+ MB free$/);
    },
  );

  it(
    "reports a missing ffmpeg for a source that needs it, and a missing model file",
    { timeout: 60_000 },
    async () => {
      const path = process.env["PATH"];
      process.env["PATH"] = paths.folder;
      try {
        const checks = await diagnose({ needsFfmpeg: true, modelFile: join(paths.folder, "none.onnx") });
        expect(checks.find(({ name }) => name === "ffmpeg")).toMatchObject({
          status: "fail",
          found: expect.stringContaining("not installed"),
          fix: expect.stringContaining("apt-get install ffmpeg"),
        });
        expect(checks.find(({ name }) => name === "model file")).toMatchObject({
          status: "fail",
          found: expect.stringContaining("ENOENT"),
        });
      } finally {
        process.env["PATH"] = path;
      }
    },
  );
});

describe("checkDirectory()", () => {
  it("checks the data directory by writing a file, and leaves nothing behind", async () => {
    const directory = join(paths.folder, "data");
    await mkdir(directory);
    expect(await checkDirectory(directory)).toEqual({ status: "ok", found: `${directory} can be written` });
    expect(await readdir(directory)).toEqual([]);
    await chmod(directory, 0o777);
    expect(await checkDirectory(directory)).toMatchObject({ status: "warn", fix: `chmod o-w ${directory}` });
    expect(await checkDirectory(join(directory, "a", "b"))).toMatchObject({
      status: "ok",
      found: expect.stringContaining("will be made"),
    });
    expect(await readdir(directory)).toEqual([]);
    await writeFile(join(directory, "file"), "");
    expect(await checkDirectory(join(directory, "file"))).toMatchObject({
      status: "fail",
      found: expect.stringContaining("is not a directory"),
    });
    // Readable for all users, writable for none, root included.
    expect(await checkDirectory("/proc/self")).toMatchObject({
      status: "fail",
      found: expect.stringContaining("cannot be written"),
    });
  });
});
