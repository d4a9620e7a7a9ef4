import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { joint, queue } from "../telemetry/pretend-agent.suite.ts";
import { deviceStatus, parseDeviceStatus, type AgentState } from "./device-status.ts";
import { statusTable } from "./status-command.node.ts";
import { openStatusServer, type StatusServer } from "./status-server.node.ts";

const agent: AgentState = {
  name: "gate",
  state: "running",
  startedAt: 0,
  source: { state: "open" },
  model: { name: "people", version: 3, backend: "cpu" },
  joint,
  queue,
  lastError: null,
};
const about = (change: Partial<AgentState> = {}) =>
  deviceStatus({ ...agent, ...change }, { version: "0.1.0", pid: 7, rssBytes: 7.5e7, now: 90_061_000 });

const open: StatusServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
async function opened(change: Partial<AgentState> = {}, host?: string): Promise<URL> {
  const server = await openStatusServer({
    status: () => about(change),
    metrics: () => "a_total 1\n",
    port: 0,
    ...(host && { host }),
  });
  open.push(server);
  return new URL(server.url);
}
/** Sends a request with the given `Host` header, which `fetch()` would overwrite. */
const ask = (
  url: URL,
  { path = "/status", host = url.host, method = "GET" } = {},
): Promise<{
  readonly code: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}> =>
  new Promise((resolve, reject) => {
    request({ host: url.hostname, port: url.port, path, method, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("end", () =>
          resolve({
            code: response.statusCode!,
            body: Buffer.concat(chunks).toString(),
            headers: response.headers,
          }),
        );
    })
      .on("error", reject)
      .end();
  });

describe("openStatusServer()", () => {
  it("serves the status, metrics, and health on this machine only", async () => {
    const url = await opened();
    expect(url.hostname).toBe("127.0.0.1");
    expect(parseDeviceStatus(JSON.parse((await ask(url)).body))).toEqual(about());
    const metrics = await ask(url, { path: "/metrics?now" });
    expect([metrics.code, metrics.body, metrics.headers["content-type"]]).toEqual([
      200,
      "a_total 1\n",
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    expect(await ask(url, { path: "/health" })).toMatchObject({
      code: 200,
      body: '{"healthy":true,"problems":[]}\n',
    });
  });

  it.each<[Partial<AgentState>, string]>([
    [{ state: "stopped" }, "the agent is stopped"],
    [
      { source: { state: "failed", error: "no route to the camera" } },
      "the source failed: no route to the camera",
    ],
    [{ model: null }, "there is no model on this device yet"],
    [{ model: { name: "people", version: 3, backend: "cloud" } }, "only the cloud serves frames"],
  ])("is not healthy with %j", async (change, problem) => {
    expect(await ask(await opened(change), { path: "/health" })).toMatchObject({
      code: 503,
      body: expect.stringContaining(problem),
    });
  });

  it("is healthy with a queue in memory and lists it as a problem", async () => {
    expect(
      await ask(await opened({ queue: { ...queue, durable: false } }), { path: "/health" }),
    ).toMatchObject({ code: 200, body: expect.stringContaining("the queue is in memory only") });
  });

  it("rejects a page whose name points at this machine (DNS rebinding)", async () => {
    const url = await opened();
    for (const host of ["evil.example", "evil.example:9465", "127.0.0.1.evil.example"])
      expect((await ask(url, { host })).code, host).toBe(403);
    for (const host of [`localhost:${url.port}`, "127.0.0.1", "[::1]:9465", "10.0.0.7"])
      expect((await ask(url, { host })).code, host).toBe(200);
  });

  it("rejects other methods and other paths", async () => {
    const url = await opened();
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect((await ask(url, { method })).code, method).toBe(405);
    for (const path of ["/", "/stop", "/status/..%2f", "//", "http://other/x"])
      expect((await ask(url, { path })).code, path).toBe(404);
    expect((await ask(url)).code).toBe(200);
  });

  it("rejects if the port is in use", async () => {
    const url = await opened();
    await expect(
      openStatusServer({ status: about, metrics: () => "", port: Number(url.port) }),
    ).rejects.toThrow(
      `serve the status on 127.0.0.1:${url.port}: expected a free port; another program listens there (EADDRINUSE)`,
    );
  });
});

describe("device status", () => {
  it("formats as a table without control characters from error texts", () => {
    expect(
      statusTable(
        about({ lastError: { at: 0, event: "source-failed", error: { message: "camera said \u001b[2J" } } }),
      ),
    ).toBe(
      [
        "agent      gate, running for 1 d 1 h, process 7, 75 MB, sedna-edge 0.1.0",
        "source     open",
        "model      people version 3 on cpu",
        "frames     10 processed (4 hard, 2 by the cloud, 1 fallback), 5 failed, 6 skipped",
        "traffic    700 B up, 80 B down",
        "queue      7 items, 900 B, oldest 1 s, 7 lost",
        "last error 1970-01-01T00:00:00.000Z source-failed: camera said  [2J",
        "health     good",
      ].join("\n"),
    );
    expect(statusTable(about({ model: null, queue: null }))).toContain(
      "health     not good: there is no model on this device yet",
    );
  });

  it("is parsed strictly, so that another server on that port is not mistaken for an agent", () => {
    for (const body of [null, "<html>", {}, { ...about(), problems: "none" }])
      expect(() => parseDeviceStatus(body)).toThrow("read the status: expected sedna-edge's status; got");
  });
});
