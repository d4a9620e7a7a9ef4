import { createHash } from "node:crypto";
import type { FederationTransport, SednaError } from "@sedna-js/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { federationServer, type FederationServer } from "../../../../testing/servers/federation-server.ts";
import { federationTransport, type FederationTransportOptions } from "./federation-transport.ts";

// These tests use real sockets and a real server.

const at = { server: undefined as unknown as FederationServer, stop: new AbortController() };
beforeEach(async () => {
  at.server = await federationServer();
  at.stop = new AbortController();
});
afterEach(async () => {
  at.stop.abort();
  await at.server.close();
});

const request = { protocol: 1, device: "edge-7", numSamples: 10 } as const;
const transport = (options: Partial<FederationTransportOptions> = {}): FederationTransport =>
  federationTransport({ url: at.server.url, name: "four", random: () => 0, deadlineMs: 2000, ...options });
const joined = async (options: Partial<FederationTransportOptions> = {}): Promise<FederationTransport> => {
  const one = transport(options);
  await one.join(request, { signal: at.stop.signal });
  at.server.asked.length = 0;
  return one;
};
const failure = async (work: Promise<unknown>): Promise<SednaError> => {
  try {
    await work;
  } catch (error) {
    return error as SednaError;
  }
  throw new Error("expected a failure; got success");
};
const numbers = Float32Array.from({ length: 50_000 }, (_, i) => Math.fround(Math.sin(i)));
const asBytes = (floats: Float32Array): Uint8Array => new Uint8Array(floats.buffer);
const isSame = (floats: Float32Array): boolean => Buffer.compare(asBytes(floats), asBytes(numbers)) === 0;
const message = Uint8Array.from({ length: 100_000 }, (_, i) => i * 31);
const { signal } = new AbortController();
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("join()", () => {
  it("requests a session, with a proof if the device has an identity", async () => {
    const claims: unknown[] = [];
    const proof = { at: 5, nonce: "n", signature: "c2ln" };
    const grant = await transport({
      identity: { prove: async (claim) => (claims.push(claim), proof) },
      now: () => 77,
    }).join(request, { signal });
    expect(grant).toMatchObject({ token: "token-1", epoch: 1, plan: { name: "four" } });
    expect(at.server.joined).toEqual([{ ...request, proof }]);
    expect(claims).toEqual([{ audience: "four", at: 77 }]);
  });

  it("distinguishes retryable from permanent failures", async () => {
    const status = { code: 503, headers: { "retry-after": "7" } as Record<string, string> };
    at.server.mischief = (_, response) => (response.writeHead(status.code, status.headers).end("no"), true);
    const one = transport();
    expect(await failure(one.join(request, { signal }))).toMatchObject({
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: 7000,
    });
    status.code = 403;
    expect(await failure(one.join(request, { signal }))).toMatchObject({
      code: "cloud-refused",
      retryable: false,
    });
    status.code = 404;
    expect(await failure(one.join(request, { signal }))).toMatchObject({
      code: "cloud-refused",
      retryable: false,
    });
    at.server.mischief = undefined;
    await one.join(request, { signal });
    at.server.mischief = (_, response) => (response.writeHead(404).end(), true);
    expect(
      await failure(one.join(request, { signal })),
      "a known federation that is missing may return, such as after a deployment",
    ).toMatchObject({ code: "cloud-refused", retryable: true });
  });

  it("C4: treats a captive portal's page as a transient fault", async () => {
    at.server.mischief = (_, response) => (
      response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome to the hotel</html>"),
      true
    );
    expect(await failure(transport().join(request, { signal }))).toMatchObject({
      code: "cloud-garbage",
      retryable: true,
    });
  });

  it("C2: gives up on a server that does not respond", async () => {
    at.server.mischief = () => true;
    expect(await failure(transport({ deadlineMs: 50 }).join(request, { signal }))).toMatchObject({
      code: "cloud-timeout",
      retryable: true,
    });
  });
});

describe("fetchModel()", () => {
  beforeEach(() => at.server.models.set(0, asBytes(numbers)));
  const length = numbers.length;

  it("returns the flat parameters", async () => {
    const one = await joined();
    expect(isSame(await one.fetchModel(0, { length, signal }))).toBe(true);
    expect(at.server.asked).toEqual([{ method: "GET", path: "/models/0", range: undefined }]);
  });

  it("C13: resumes an interrupted download without fetching any byte twice", async () => {
    const one = await joined();
    const half = 2 * length;
    at.server.mischief = (_, response) => {
      at.server.mischief = undefined;
      response.writeHead(200, { etag: '"x"', "content-length": 4 * length });
      response.write(asBytes(numbers).subarray(0, half), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    expect(await failure(one.fetchModel(0, { length, signal }))).toMatchObject({
      code: "cloud-unreachable",
      retryable: true,
    });
    // The ETag differs from that of the interrupted response, so the download restarts from scratch.
    expect(isSame(await one.fetchModel(0, { length, signal }))).toBe(true);
    expect(at.server.asked[1]!.range).toBe(`bytes=${half}-`);

    at.server.mischief = (_, response) => {
      const etag = response.req.headers["if-range"] ?? '"x"';
      at.server.mischief = undefined;
      response.writeHead(200, {
        etag: `"${hashOf(asBytes(numbers))}"`,
        "content-length": 4 * length,
        "x-if-range": etag,
      });
      response.write(asBytes(numbers).subarray(0, half), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await failure(one.fetchModel(0, { length, signal }));
    let sent = 0;
    at.server.mischief = (_, response) => {
      const write = response.end.bind(response);
      response.end = ((body: Uint8Array) => ((sent = body.length), write(body))) as never;
      return false;
    };
    expect(isSame(await one.fetchModel(0, { length, signal }))).toBe(true);
    expect(sent).toBe(4 * length - half);
  });

  it("C13: rejects a flipped bit, a short body, a long body, and a response without a hash", async () => {
    const one = await joined();
    const flipped = asBytes(numbers.slice());
    flipped[1234]! ^= 4;
    const answers: [headers: Record<string, string>, body: Uint8Array][] = [
      [{ etag: `"${hashOf(asBytes(numbers))}"` }, flipped],
      [{ etag: `"${hashOf(asBytes(numbers))}"` }, flipped.subarray(0, 8)],
      [{ etag: `"${hashOf(asBytes(numbers))}"` }, new Uint8Array(4 * length + 4)],
      [{}, asBytes(numbers)],
    ];
    for (const [headers, body] of answers) {
      at.server.mischief = (_, response) => (response.writeHead(200, headers).end(body), true);
      expect(await failure(one.fetchModel(0, { length, signal }))).toMatchObject({
        code: expect.stringMatching(/cloud-(garbage|unreachable)/),
        retryable: true,
      });
    }
    at.server.mischief = undefined;
    expect(isSame(await one.fetchModel(0, { length, signal }))).toBe(true);
  });

  it("C3: gives up on a server that stalls in the middle, and stops when its signal aborts", async () => {
    const one = await joined({ deadlineMs: 200 });
    at.server.mischief = (_, response) => (response.writeHead(200, { etag: '"x"' }).write("abcd"), true);
    expect(await failure(one.fetchModel(0, { length, signal }))).toMatchObject({ code: "cloud-timeout" });
    const stop = new AbortController();
    const before = at.server.asked.length;
    const fetching = failure(one.fetchModel(0, { length, signal: stop.signal }));
    await expect.poll(() => at.server.asked.length).toBe(before + 1);
    stop.abort(new Error("enough"));
    expect((await fetching).message).toBe("enough");
  });
});

describe("sendUpdate()", () => {
  it("sends the update whole, and in chunks if chunkBytes is smaller", async () => {
    const whole = await joined();
    expect(await whole.sendUpdate(message, { round: 1, signal })).toEqual({ round: 1, accepted: true });
    const parts = await joined({ chunkBytes: 40_000 });
    expect(await parts.sendUpdate(message, { round: 1, signal })).toEqual({ round: 1, accepted: true });
    expect(at.server.asked.map(({ range }) => range)).toEqual([
      "bytes 0-39999/100000",
      "bytes 40000-79999/100000",
      "bytes 80000-99999/100000",
    ]);
    expect(at.server.updates.map((update) => Buffer.compare(update, message))).toEqual([0, 0]);
  });

  it("resumes an interrupted upload", async () => {
    const one = await joined();
    at.server.cutUploadAfter = 60_000;
    expect(await failure(one.sendUpdate(message, { round: 1, signal }))).toMatchObject({
      code: "cloud-unreachable",
      retryable: true,
    });
    expect(await one.sendUpdate(message, { round: 1, signal })).toEqual({ round: 1, accepted: true });
    expect(at.server.asked.map(({ method, range }) => `${method} ${range}`)).toEqual([
      "PUT bytes 0-99999/100000",
      "HEAD undefined",
      "PUT bytes 60000-99999/100000",
    ]);
    expect(Buffer.compare(at.server.updates[0]!, message)).toBe(0);
  });

  it("sends the same bytes again if only the response was lost", async () => {
    const one = await joined();
    at.server.mischief = (asked) => {
      if (asked.method !== "PUT") return false;
      at.server.mischief = undefined;
      asked.resume();
      asked.on("end", () => {
        at.server.upload = message;
        asked.socket.destroy();
      });
      return true;
    };
    await failure(one.sendUpdate(message, { round: 1, signal }));
    at.server.answer = { status: 200, body: { round: 1, accepted: true, duplicate: true } };
    expect(await one.sendUpdate(message, { round: 1, signal })).toEqual({
      round: 1,
      accepted: true,
      duplicate: true,
    });
    expect(Buffer.compare(at.server.updates[0]!, message)).toBe(0);
  });

  it("returns a rejection of the update, but throws on a session or server error", async () => {
    const one = await joined();
    at.server.answer = { status: 409, body: { error: "the round is over", code: "round-closed", round: 2 } };
    expect(await one.sendUpdate(message, { round: 1, signal })).toEqual({
      error: "the round is over",
      code: "round-closed",
      round: 2,
    });
    at.server.token = "";
    expect(await failure(one.sendUpdate(message, { round: 1, signal }))).toMatchObject({
      code: "session-ended",
    });
    at.server.mischief = (_, response) => (
      response.writeHead(429, { "retry-after": "3" }).end('{"error":"slowly"}'),
      true
    );
    expect(await failure(one.sendUpdate(message, { round: 1, signal }))).toMatchObject({
      code: "cloud-busy",
      retryAfterMs: 3000,
    });
  });
});

describe("federationTransport() session", () => {
  it("C23: fails permanently after another client of this device joins", async () => {
    const one = await joined();
    await transport().join(request, { signal });
    at.server.models.set(0, asBytes(numbers));
    expect(await failure(one.fetchModel(0, { length: numbers.length, signal }))).toMatchObject({
      code: "session-replaced",
      retryable: false,
    });
  });

  it("recovers if the newer session is its own, even if the response with its grant was lost", async () => {
    const one = await joined();
    at.server.models.set(0, asBytes(numbers));
    at.server.mischief = (_, response) => {
      at.server.mischief = undefined;
      at.server.former.add(at.server.token);
      at.server.token = "unknown to the client";
      response.destroy();
      return true;
    };
    await failure(one.join(request, { signal }));
    expect(await failure(one.fetchModel(0, { length: numbers.length, signal }))).toMatchObject({
      code: "session-ended",
    });
    await one.join(request, { signal });
    expect(isSame(await one.fetchModel(0, { length: numbers.length, signal }))).toBe(true);
  });

  it("ends the session on leave() and sends nothing on a second leave()", async () => {
    const one = await joined();
    await one.leave();
    expect(at.server.token).toBe("");
    await one.leave();
    expect(at.server.asked.filter(({ method }) => method === "DELETE").length).toBe(1);
    expect(await failure(one.fetchModel(0, { length: 1, signal }))).toMatchObject({ code: "session-ended" });
  });
});
