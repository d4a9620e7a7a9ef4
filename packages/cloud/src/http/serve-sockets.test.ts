import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { createCloud, type CloudOptions } from "./create-cloud.ts";
import type { ServeOptions, Serving } from "./platform.ts";
import { serve } from "./serve.node.ts";
import type { Logger, Service, ServiceSocket, SocketRoute } from "./service.ts";

// A real server, real sockets: `ws` as a client, and bare TCP for what no client would send.

// On a busy machine anything takes its time; nothing here is right or wrong by how long it took.
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
/** Says back what it hears; "throw" and "reject" are the service's own bugs. */
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
/** A handshake by hand; what follows is bytes. */
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
/** A client's frame, masked by zeros. */
const frame = (first: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
const closeCode = (bytes: Buffer): number => (expect(bytes[0]).toBe(0x88), bytes.readUInt16BE(2));

describe("who may open a socket", () => {
  it("leads by the patterns of HTTP's routes, with the request that asked", async () => {
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
      body: expect.stringContaining("no such route for a socket: /rooms/kitchen"),
    });
  });

  it("B8: takes pages of the named origins and of its own host, programs that have none, and no other page", async () => {
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

  it("B8: a target that names another host makes no page one of its own", async () => {
    const url = await start([echo({ path: "/*" })]);
    for (const target of ["//evil.example/rooms/a/echo", "http://evil.example/rooms/a/echo"]) {
      const { head } = await raw(url, target, "Origin: http://evil.example\r\n");
      expect(head).toMatch(/^HTTP\/1.1 40[03] /);
    }
  });

  it("asks for the cloud's token, unless the first frame brings the route's own", async () => {
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

  it("lets the route refuse in its own words, and answers 500 where it fails", async () => {
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

  it("C23: takes so many sockets in all and so many from one address, and again when one has gone", async () => {
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

  it("takes sockets once its services have started", async () => {
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

  it("counts sockets for its metrics", async () => {
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

  it("answers an upgrade to something else, and what is no handshake, in HTTP's words", async () => {
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

describe("C5: what comes over a socket ends at most this socket", () => {
  const cases: readonly [string, Buffer, number][] = [
    ["garbage", Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1002],
    ["a frame that is not masked", Buffer.from([0x81, 0x01, 0x61]), 1002],
    ["an operation that there is not", frame(0x83, Buffer.from("x")), 1002],
    ["compression that nobody agreed on", frame(0xc1, Buffer.from("x")), 1002],
    ["a ping in pieces", frame(0x09, Buffer.from("x")), 1002],
    ["a second part of nothing", frame(0x80, Buffer.from("x")), 1002],
    ["text that is no UTF-8", frame(0x81, Buffer.from([0xc3, 0x28])), 1007],
    ["half a character at the end", frame(0x81, Buffer.from([0xe2, 0x82])), 1007],
    ["a length that is too long", Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0]), 1009],
    ["a length past 2^53", Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1009],
    [
      "parts that are together too long",
      Buffer.concat(Array.from({ length: 11 }, (_, i) => frame(i === 0 ? 0x02 : 0x00, Buffer.alloc(100)))),
      1009,
    ],
    [
      "endless parts of nothing",
      Buffer.concat(Array.from({ length: 1100 }, (_, i) => frame(i === 0 ? 0x02 : 0x00, Buffer.alloc(0)))),
      1008,
    ],
    ["a close by a code that nobody may say", frame(0x88, Buffer.from([0x03, 0xed])), 1002],
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

  it("a bug in the service closes by 1011 and is logged, a message cut off in the middle does nothing", async () => {
    const logged: unknown[] = [];
    const url = await start(
      [
        echo(),
        echo({
          path: "/bug",
          open: () => {
            throw new Error("a bug at the door");
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
    expect(logged).toEqual(["a bug", "another bug", "a bug at the door"]);
    const { socket, end } = await raw(url);
    socket.write(Buffer.concat([frame(0x81, Buffer.from("whole")), Buffer.from([0x81, 0xe4, 0, 0])]));
    socket.end();
    await end;
    expect(await answer(neighbor, "still here")).toBe("still here");
  });

  it("a reader that takes nothing is closed when too much waits for it, and others get theirs", async () => {
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

it("C3: a half-open socket is cut off after two pings that nothing answers; who answers, or sends slowly, stays", async () => {
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
  it("closes sockets by 1012 with when to come back, refuses new ones by 503, and ends though one never answers", async () => {
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
