import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { createCloud, type CloudOptions } from "./create-cloud.ts";
import type { ServeOptions, Serving } from "./platform.ts";
import { serve } from "./serve.node.ts";
import type { Logger, Service, ServiceSocket, SocketRoute } from "./service.ts";

// These tests use a real server and real sockets: `ws` as the client, and raw TCP for bytes that no client
// would send.

// On a busy machine any step can be slow, so no check depends on duration.
vi.setConfig({ testTimeout: 60_000 });
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

const running: Serving[] = [];
const clients: WebSocket[] = [];
const raws: Socket[] = [];
afterEach(() => {
  for (const socket of clients.splice(0)) socket.terminate();
  for (const socket of raws.splice(0)) socket.destroy();
});
afterAll(() => Promise.all(running.map((one) => one.close())));

const service = (...sockets: SocketRoute[]): Service => ({
  name: "sockets",
  mount() {},
  sockets,
  start: async () => {},
  ready: true,
  close: async () => {},
});
/** Echoes messages. The messages "throw" and "reject" trigger bugs in the service. */
const echo = (more: Partial<SocketRoute> = {}): SocketRoute => ({
  path: "/rooms/:name/echo",
  maxMessageBytes: 1000,
  open: (socket) =>
    socket.onMessage((data) => {
      if (data === "throw") throw new Error("a bug");
      if (data === "reject") return Promise.reject(new Error("another bug")) as never;
      socket.send(data);
    }),
  ...more,
});
const start = async (
  routes: readonly SocketRoute[],
  { cloud = {}, served = {} }: { cloud?: Partial<CloudOptions>; served?: Partial<ServeOptions> } = {},
): Promise<string> => {
  const one = createCloud({ services: [service(...routes)], ...cloud });
  await one.start();
  const serving = await serve(one, { port: 0, ...served, sockets: { closeMs: 200, ...served.sockets } });
  running.push(serving);
  return serving.url;
};
const client = (
  url: string,
  { path = "/rooms/a/echo", headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): WebSocket => {
  const socket = new WebSocket(url.replace("http", "ws") + path, { headers });
  clients.push(socket);
  socket.on("error", () => {});
  return socket;
};
const opened = async (socket: WebSocket): Promise<WebSocket> => (await once(socket, "open"), socket);
const closed = async (socket: WebSocket): Promise<{ code: number; reason: string }> => {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return { code, reason: reason.toString() };
};
const rejected = (
  socket: WebSocket,
): Promise<{ status: number; body: string; retryAfter: string | undefined }> =>
  new Promise((resolve) => {
    socket.once("open", () => resolve({ status: 101, body: "", retryAfter: undefined }));
    socket.once("unexpected-response", (_, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode!, body, retryAfter: response.headers["retry-after"] }),
      );
    });
  });
const answer = async (socket: WebSocket, text: string): Promise<string> => {
  socket.send(text);
  const [data] = (await once(socket, "message")) as [Buffer];
  return data.toString();
};
/** Opens a raw TCP connection and performs the WebSocket handshake by hand. */
const raw = async (
  url: string,
  target = "/rooms/a/echo",
  headers = "",
): Promise<{ socket: Socket; head: string; end: Promise<Buffer> }> => {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  raws.push(socket);
  socket.on("error", () => {});
  const chunks: Buffer[] = [];
  const end = new Promise<Buffer>((resolve) => socket.on("close", () => resolve(Buffer.concat(chunks))));
  socket.write(
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`,
  );
  const [first] = (await once(socket, "data")) as [Buffer];
  const head = first.toString("latin1");
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { socket, head, end };
};
/** Returns a client's frame, masked with zeros. */
const frame = (first: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
const closeCode = (bytes: Buffer): number => (expect(bytes[0]).toBe(0x88), bytes.readUInt16BE(2));

describe("opening a socket", () => {
  it("matches the patterns of HTTP routes and passes the request to the route", async () => {
    const url = await start([
      {
        path: "/rooms/:name/who",
        maxMessageBytes: 100,
        open: (socket, request) => socket.send(new URL(request.url).pathname),
      },
    ]);
    const [said] = (await once(client(url, { path: "/rooms/kitchen/who?x=1" }), "message")) as [Buffer];
    expect(said.toString()).toBe("/rooms/kitchen/who");
    expect(await rejected(client(url, { path: "/rooms/kitchen" }))).toMatchObject({
      status: 404,
      body: expect.stringContaining("no such WebSocket route: /rooms/kitchen"),
    });
  });

  it("B8: accepts pages of allowed origins and of its own host, accepts clients without an origin, and rejects all other pages", async () => {
    const url = await start([echo()], { cloud: { origins: ["https://app.example"] } });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await rejected(client(url, { headers }))).status;
    expect(await status({})).toBe(101);
    expect(await status({ origin: "https://app.example" })).toBe(101);
    expect(await status({ origin: url })).toBe(101);
    for (const origin of [
      "https://app.example.evil",
      "https://evil.example",
      "null",
      "http://app.example",
      "",
      "https://app.example:444",
    ])
      expect([origin, await status({ origin })]).toEqual([origin, 403]);
  });

  it("B8: rejects a page of another host even if the request target names that host", async () => {
    const url = await start([echo({ path: "/*" })]);
    for (const target of ["//evil.example/rooms/a/echo", "http://evil.example/rooms/a/echo"]) {
      const { head } = await raw(url, target, "Origin: http://evil.example\r\n");
      expect(head).toMatch(/^HTTP\/1.1 40[03] /);
    }
  });

  it("requires the cloud's token, unless the first frame carries the route's own token", async () => {
    const url = await start([echo(), echo({ path: "/own", firstFrameToken: true })], {
      cloud: { token: "s3cret" },
    });
    const status = async (options: Parameters<typeof client>[1]): Promise<number> =>
      (await rejected(client(url, options))).status;
    expect(await status({})).toBe(401);
    expect(await status({ headers: { authorization: "Bearer wrong" } })).toBe(401);
    expect(await status({ path: "/rooms/a/echo?token=s3cret" })).toBe(401);
    expect(await status({ headers: { authorization: "Bearer s3cret" } })).toBe(101);
    expect(await status({ path: "/own" })).toBe(101);
  });

  it("lets the route reject with its own response, and responds with 500 if the route throws", async () => {
    const logged: unknown[] = [];
    const logger: Logger = { info() {}, error: (fields) => void logged.push(fields["error"]) };
    const accept: SocketRoute["accept"] = (request) => {
      if (request.url.endsWith("/bug/echo")) throw new Error("a bug");
      return new Response("full", { status: 409, headers: { "x-room": "full" } });
    };
    const url = await start([echo({ accept })], { cloud: { logger } });
    expect(await rejected(client(url))).toMatchObject({ status: 409, body: "full" });
    expect(await rejected(client(url, { path: "/rooms/bug/echo" }))).toMatchObject({
      status: 500,
      body: "Internal Server Error",
    });
    expect(logged).toEqual(["a bug"]);
  });

  it("C23: limits the sockets in total and per address, and accepts a new socket when one closes", async () => {
    const url = await start([echo()], { served: { sockets: { maxPerAddress: 2 } } });
    const first = await opened(client(url));
    await opened(client(url));
    expect(await rejected(client(url))).toMatchObject({ status: 429, retryAfter: "5" });
    first.close();
    await closed(first);
    await eventually(async () => (await rejected(client(url))).status).toBe(101);
    const small = await start([echo()], { served: { sockets: { maxConnections: 1 } } });
    await opened(client(small));
    expect(await rejected(client(small))).toMatchObject({ status: 503, retryAfter: "5" });
  });

  it("accepts sockets only after its services have started", async () => {
    let release = (): void => {};
    const slow: Service = { ...service(echo()), start: () => new Promise((resolve) => (release = resolve)) };
    const cloud = createCloud({ services: [slow] });
    const serving = await serve(cloud, { port: 0 });
    running.push(serving);
    const starting = cloud.start();
    expect(await rejected(client(serving.url))).toMatchObject({ status: 503, retryAfter: "1" });
    release();
    await starting;
    expect(await rejected(client(serving.url))).toMatchObject({ status: 101 });
  });

  it("counts sockets in its metrics", async () => {
    const url = await start([echo()]);
    const one = await opened(client(url));
    await rejected(client(url, { path: "/none" }));
    const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
    expect(await metrics()).toMatch(/^sedna_sockets 1$/m);
    expect(await metrics()).toMatch(/^sedna_sockets_refused_total\{code="404"\} 1$/m);
    one.close(4000);
    await eventually(metrics).toMatch(/^sedna_sockets_closed_total\{code="4000"\} 1$/m);
    expect(await metrics()).toMatch(/^sedna_sockets 0$/m);
  });

  it("responds with an HTTP error to an upgrade to another protocol and to an invalid handshake", async () => {
    const url = await start([echo()]);
    const { hostname, port } = new URL(url);
    const ask = async (lines: string): Promise<string> => {
      const socket = connect(Number(port), hostname);
      raws.push(socket);
      socket.write(`${lines}\r\n\r\n`);
      const [bytes] = (await once(socket, "data")) as [Buffer];
      return bytes.toString().split("\r\n")[0]!;
    };
    expect(await ask("GET /rooms/a/echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c")).toMatch(
      /^HTTP\/1.1 (426|404)/,
    );
    expect(
      await ask("GET /rooms/a/echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket"),
    ).toBe("HTTP/1.1 400 Bad Request");
    expect(
      await ask("GET /rooms/a/echo HTTP/1.1\r\nHost: a b\r\nConnection: Upgrade\r\nUpgrade: websocket"),
    ).toBe("HTTP/1.1 400 Bad Request");
  });
});

describe("C5: invalid data on a socket ends at most this socket", () => {
  const cases: readonly [string, Buffer, number][] = [
    ["garbage", Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1002],
    ["an unmasked frame", Buffer.from([0x81, 0x01, 0x61]), 1002],
    ["an unknown opcode", frame(0x83, Buffer.from("x")), 1002],
    ["compression that was not negotiated", frame(0xc1, Buffer.from("x")), 1002],
    ["a fragmented ping", frame(0x09, Buffer.from("x")), 1002],
    ["a continuation frame without a message", frame(0x80, Buffer.from("x")), 1002],
    ["text that is not UTF-8", frame(0x81, Buffer.from([0xc3, 0x28])), 1007],
    ["an incomplete character at the end", frame(0x81, Buffer.from([0xe2, 0x82])), 1007],
    ["a length above the limit", Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0]), 1009],
    ["a length above 2^53", Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1009],
    [
      "fragments that together exceed the limit",
      Buffer.concat(Array.from({ length: 11 }, (_, i) => frame(i === 0 ? 0x02 : 0x00, Buffer.alloc(100)))),
      1009,
    ],
    [
      "endless empty fragments",
      Buffer.concat(Array.from({ length: 1100 }, (_, i) => frame(i === 0 ? 0x02 : 0x00, Buffer.alloc(0)))),
      1008,
    ],
    ["a reserved close code", frame(0x88, Buffer.from([0x03, 0xed])), 1002],
  ];
  const shared = { url: "" };
  beforeAll(async () => void (shared.url = await start([echo()])));
  it.each(cases)("%s", async (_, bytes, code) => {
    const { url } = shared;
    const neighbor = await opened(client(url));
    const { socket, head, end } = await raw(url);
    expect(head).toMatch(/^HTTP\/1.1 101/);
    socket.write(bytes);
    expect(closeCode(await end)).toBe(code);
    expect(await answer(neighbor, "still here")).toBe("still here");
  });

  it("a bug in the service closes the socket with 1011 and is logged, and a truncated message has no effect", async () => {
    const logged: unknown[] = [];
    const url = await start(
      [
        echo(),
        echo({
          path: "/bug",
          open: () => {
            throw new Error("a bug in open()");
          },
        }),
      ],
      { cloud: { logger: { info() {}, error: (fields) => void logged.push(fields["error"]) } } },
    );
    const neighbor = await opened(client(url));
    for (const text of ["throw", "reject"]) {
      const socket = await opened(client(url));
      socket.send(text);
      expect(await closed(socket)).toEqual({ code: 1011, reason: "the server failed" });
    }
    expect(await closed(client(url, { path: "/bug" }))).toMatchObject({ code: 1011 });
    expect(logged).toEqual(["a bug", "another bug", "a bug in open()"]);
    const { socket, end } = await raw(url);
    socket.write(Buffer.concat([frame(0x81, Buffer.from("whole")), Buffer.from([0x81, 0xe4, 0, 0])]));
    socket.end();
    await end;
    expect(await answer(neighbor, "still here")).toBe("still here");
  });

  it("a stalled reader is closed when its buffer exceeds the limit, and other readers are unaffected", async () => {
    const sockets: ServiceSocket[] = [];
    const ended: number[] = [];
    const url = await start([
      {
        path: "/feed",
        maxMessageBytes: 100,
        open: (socket) => (sockets.push(socket), socket.onClose((code) => void ended.push(code))),
      },
    ]);
    const { socket: slow } = await raw(url, "/feed");
    slow.pause();
    const fast = await opened(client(url, { path: "/feed" }));
    let got = 0;
    fast.on("message", () => got++);
    const block = new Uint8Array(2 ** 18);
    let sent = 0;
    while (ended.length === 0 && sent < 400) {
      for (const socket of sockets) socket.send(block);
      sent++;
      await eventually(() => got).toBe(sent);
      expect(sockets[0]!.bufferedAmount).toBeLessThan(2 ** 20 + 2 * block.length);
    }
    expect(ended).toEqual([1006]);
    expect(await fetch(`${url}/metrics`).then((response) => response.text())).toMatch(/^sedna_sockets 1$/m);
  });
});

it("C3: terminates a half-open socket after two unanswered pings, and keeps a socket that answers or sends slowly", async () => {
  const ended: string[] = [];
  const route = echo({
    open: (socket, request) =>
      socket.onClose((code) => void ended.push(`${new URL(request.url).pathname.split("/")[2]} ${code}`)),
  });
  const url = await start([route], { served: { sockets: { pingMs: 60 } } });
  const answering = await opened(client(url, { path: "/rooms/answering/echo" }));
  let pings = 0;
  answering.on("ping", () => pings++);
  const { socket: sending } = await raw(url, "/rooms/sending/echo");
  sending.write(Buffer.from([0x81, 0xfe, 0x03, 0xe8, 0, 0, 0, 0]));
  const trickle = setInterval(() => sending.write("x"), 20);
  await raw(url, "/rooms/silent/echo");
  await eventually(() => ended).toEqual(["silent 1006"]);
  const before = pings;
  await eventually(() => pings).toBeGreaterThan(before + 3);
  clearInterval(trickle);
  expect(ended).toEqual(["silent 1006"]);
});

describe("C25: a shutdown", () => {
  it("closes sockets with 1012 and a retry time, rejects new sockets with 503, and ends even if a client never answers", async () => {
    let release = (): void => {};
    const slow: Service = {
      ...service(),
      name: "slow",
      close: () => new Promise((resolve) => (release = resolve)),
    };
    const cloud = createCloud({ services: [service(echo()), slow] });
    await cloud.start();
    const serving = await serve(cloud, { port: 0, sockets: { closeMs: 200 } });
    running.push(serving);
    const two = [await opened(client(serving.url)), await opened(client(serving.url))];
    const { end } = await raw(serving.url);
    const farewell = two.map(closed);
    const closing = serving.close();
    for (const { code, reason } of await Promise.all(farewell)) {
      expect(code).toBe(1012);
      expect((JSON.parse(reason) as { retryAfterMs: number }).retryAfterMs).toBeGreaterThanOrEqual(1000);
    }
    expect(await rejected(client(serving.url))).toMatchObject({ status: 503, retryAfter: "1" });
    release();
    expect(closeCode(await end)).toBe(1012);
    await closing;
  });
});
