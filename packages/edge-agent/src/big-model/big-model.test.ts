import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSocketServer, type AddressInfo, type Socket } from "node:net";
import type { Detections, Frame } from "@sedna-js/core";
import { afterEach, describe, expect, it } from "vitest";
import { bigModel } from "./big-model.ts";

// A real server reproduces every way in which a cloud can fail. Only the frame is a stub.

const frame = (bytes = Uint8Array.of(1, 2, 3), scale = 1): Frame => ({
  width: 100,
  height: 50,
  timestamp: 0,
  copyTo: async () => {},
  encode: async () => ({ type: "image/jpeg", bytes, width: 100 * scale, height: 50 * scale }),
  close() {},
});
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});
const listen = async (server: Server | ReturnType<typeof createSocketServer>): Promise<string> => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const http = (listener: RequestListener): Promise<string> => listen(createServer(listener));
const json =
  (body: unknown, status = 200, headers = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const ask = (
  url: string,
  options: Partial<Parameters<typeof bigModel>[0]> = {},
  deadlineMs = 2000,
): Promise<Detections> =>
  bigModel({ url, retries: 0, ...options }).inference(frame(), {
    signal: AbortSignal.timeout(deadlineMs),
    deadlineMs,
  });
const rows = [[1, 2, 3, 4, 0.5, 0]];

describe("bigModel()", () => {
  it("posts the encoded frame to Sedna's path with the token and reports the transferred bytes", async () => {
    const seen: unknown[] = [];
    const url = await http((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("end", () => {
          seen.push(
            request.method,
            request.url,
            request.headers["content-type"],
            request.headers.authorization,
            Array.from(Buffer.concat(chunks)),
          );
          response.end(JSON.stringify({ result: rows }));
        });
    });
    const bytes: unknown[] = [];
    const answer = await bigModel({ url, token: "t0k" }).inference(frame(), {
      signal: AbortSignal.timeout(2000),
      deadlineMs: 2000,
      onTransfer: (one) => bytes.push(one),
    });
    expect(seen).toEqual(["POST", "/sedna/predict", "image/jpeg", "Bearer t0k", [1, 2, 3]]);
    expect(answer).toEqual(rows);
    expect(bytes).toEqual([{ up: 3, down: JSON.stringify({ result: rows }).length }]);
  });

  it("returns boxes in the frame's own pixels if the image was sent at a smaller size", async () => {
    const url = await http(json({ result: rows }));
    const small = await bigModel({ url }).inference(frame(undefined, 0.5), {
      signal: AbortSignal.timeout(2000),
      deadlineMs: 2000,
    });
    expect(small).toEqual([[2, 4, 6, 8, 0.5, 0]]);
  });

  it("retries within the deadline and succeeds when the cloud recovers", async () => {
    let calls = 0;
    const url = await http((request, response) =>
      (++calls < 3 ? json({}, 500) : json({ result: rows }))(request, response),
    );
    expect(await ask(url, { retries: 2 })).toEqual(rows);
    expect(calls).toBe(3);
  });

  it("does not retry a request that the cloud rejects permanently", async () => {
    let calls = 0;
    const url = await http((request, response) => (calls++, json({ detail: "no" }, 422)(request, response)));
    await expect(ask(url, { retries: 5 })).rejects.toMatchObject({
      code: "cloud-refused",
      retryable: false,
      message: expect.stringContaining('got 422: {"detail":"no"}'),
    });
    expect(calls).toBe(1);
  });

  it("obeys Retry-After and gives up at once if the delay exceeds the deadline", async () => {
    let calls = 0;
    const url = await http(
      (request, response) => (calls++, json({}, 503, { "retry-after": "30" })(request, response)),
    );
    const started = performance.now();
    await expect(ask(url, { retries: 5 })).rejects.toMatchObject({
      code: "cloud-busy",
      retryAfterMs: 30_000,
    });
    expect(calls).toBe(1);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each<[string, RequestListener, string]>([
    ["an HTML page", (_, response) => response.end("<html>login</html>"), "wire-format"],
    ["JSON of another shape", json({ answer: 42 }), "wire-format"],
    ["malformed rows", json({ result: [[1, 2, "x"]] }), "wire-format"],
    ["null in a row", (_, response) => response.end('{"result":[[1,2,3,4,null,0]]}'), "wire-format"],
    ["random bytes", (_, response) => response.end(Buffer.from([0xff, 0xfe, 0x00, 0xc1])), "wire-format"],
    [
      "an endless response",
      (_, response) => void setInterval(() => response.write("x".repeat(65536)), 1).unref(),
      "cloud-garbage",
    ],
    [
      "a truncated body",
      (_, response) => (response.writeHead(200, { "content-length": "1000" }).write("{"), response.destroy()),
      "cloud-unreachable",
    ],
    [
      "a redirect",
      (_, response) => response.writeHead(302, { location: "/elsewhere" }).end(),
      "cloud-unreachable",
    ],
    ["500", json({}, 500), "cloud-refused"],
  ])("rejects with a typed error on %s", async (_, listener, code) => {
    await expect(ask(await http(listener), { maxReplyBytes: 2 ** 20 })).rejects.toMatchObject({
      name: expect.stringMatching(/SednaError|WireError/),
      code,
    });
  });

  it("rejects with a typed error if the server does not speak HTTP", async () => {
    const url = await listen(createSocketServer((socket) => socket.end("\x00\x01garbage\r\n\r\n")));
    await expect(ask(url)).rejects.toMatchObject({ code: "cloud-unreachable" });
  });

  it("rejects with a typed error if nothing listens on the port", async () => {
    await expect(ask("http://127.0.0.1:9")).rejects.toMatchObject({
      code: "cloud-unreachable",
      retryable: true,
    });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["never answers", () => {}],
    [
      "sends its response slowly",
      (socket) => (
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"),
        void setInterval(() => socket.write("x"), 20).unref()
      ),
    ],
  ])("gives up at the deadline on a server that %s", async (_, behave) => {
    const url = await listen(createSocketServer((socket) => (socket.on("error", () => {}), behave(socket))));
    const started = performance.now();
    await expect(ask(url, {}, 150)).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("stops calling a cloud that is down and calls it again after it recovers", async () => {
    let up = false;
    let calls = 0;
    const url = await http(
      (request, response) => (
        calls++,
        up ? json({ result: rows })(request, response) : request.socket.destroy()
      ),
    );
    const clock = { ms: 0 };
    const model = bigModel({ url, retries: 0, breaker: { failures: 3, resetMs: 1000, now: () => clock.ms } });
    const once = (): Promise<unknown> =>
      model.inference(frame(), { signal: AbortSignal.timeout(2000), deadlineMs: 2000 });
    for (let i = 0; i < 3; i++) await expect(once()).rejects.toMatchObject({ code: "cloud-unreachable" });
    await expect(once()).rejects.toMatchObject({ code: "circuit-open" });
    expect([calls, model.circuit]).toEqual([3, "open"]);
    up = true;
    clock.ms = 1000;
    expect(await once()).toEqual(rows);
    expect(model.circuit).toBe("closed");
  });

  it("enforces its own deadline even if the signal never aborts and fetch or encode never settles", async () => {
    const stuck = bigModel({
      url: "http://127.0.0.1",
      fetch: () => new Promise(() => {}),
      breaker: { failures: 1 },
    });
    await expect(
      stuck.inference(frame(), { signal: new AbortController().signal, deadlineMs: 50 }),
    ).rejects.toMatchObject({ code: "cloud-timeout" });
    expect(stuck.circuit).toBe("open");
    const encoding = { ...frame(), encode: () => new Promise<never>(() => {}) };
    const model = bigModel({ url: "http://127.0.0.1" });
    await expect(
      model.inference(encoding, { signal: new AbortController().signal, deadlineMs: 50 }),
    ).rejects.toMatchObject({ code: "cloud-timeout" });
  });

  it("counts a missed deadline as a failure of the cloud, but not an abort by the caller", async () => {
    const url = await http(() => {});
    const late = bigModel({ url, breaker: { failures: 1 } });
    await expect(
      late.inference(frame(), { signal: AbortSignal.timeout(50), deadlineMs: 1000 }),
    ).rejects.toMatchObject({ name: "TimeoutError" });
    expect(late.circuit).toBe("open");
    const model = bigModel({ url, breaker: { failures: 1 } });
    const left = new AbortController();
    const asking = model.inference(frame(), { signal: left.signal, deadlineMs: 1000 });
    setTimeout(() => left.abort(new Error("the user left")), 20);
    await expect(asking).rejects.toThrow();
    expect(model.circuit).toBe("closed");
  });

  it.each([
    [{ retries: Number.NaN }, "expected retries"],
    [{ image: { quality: 0 } }, "expected image.quality"],
    [{ breaker: { failures: Number.NaN } }, "expected failures"],
  ])("refuses %o", (options, message) => {
    expect(() => bigModel({ url: "http://x", ...options })).toThrow(message);
  });

  it("rejects an unknown protocol and an invalid URL", () => {
    expect(() => bigModel({ url: "http://x", protocol: "grpc" as never })).toThrow(
      "expected protocol to be one of sedna, oip; got grpc",
    );
    expect(() => bigModel({ url: "not a url" })).toThrow(TypeError);
  });
});
