import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelFile } from "@sedna-js/core/wire";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { manifestOf } from "../../../../testing/servers/model-publisher.ts";
import { failure } from "../../../../testing/servers/model-store-fixture.ts";
import {
  modelServer,
  type RequestFault,
  type ModelServer,
} from "../../../../testing/servers/model-server.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { fileBytes } from "../storage/file-bytes.node.ts";
import { downloadFile, type DownloadOptions } from "./model-download.ts";
import { readFile } from "./stored-file.ts";

// Real sockets and real files.

const SIZE = 2_500_000;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7919) >> 8);
const at = {
  server: undefined as unknown as ModelServer,
  folder: "",
  made: 0,
  file: undefined as unknown as ModelFile,
};
beforeAll(async () => {
  at.server = await modelServer();
  at.folder = await mkdtemp(join(tmpdir(), "sedna-download-"));
  at.file = (await manifestOf({ content: { "weights.bin": content } })).files[0]!;
});
afterAll(async () => {
  await at.server.close();
  await rm(at.folder, { recursive: true });
});
afterEach(() => {
  at.server.mischief = undefined;
  at.server.asked.length = 0;
});

const begin = (
  files: Readonly<Record<string, Uint8Array>> = { "weights.bin": content },
): {
  bytes: ByteStore;
  get: (options?: Partial<DownloadOptions>) => Promise<void>;
  whole: () => Promise<boolean>;
} => {
  at.server.files = new Map(Object.entries(files));
  const bytes = fileBytes({ directory: join(at.folder, String(at.made++)) });
  const url = new URL("weights.bin", at.server.url).href;
  return {
    bytes,
    get: (options) => downloadFile({ url, file: at.file, bytes, fetch, baseMs: 1, ...options }),
    whole: async () => Buffer.from((await readFile(bytes, at.file)) ?? []).equals(Buffer.from(content)),
  };
};
/** Applies the fault to the first `number` requests. */
const times = (
  number: number,
  mischief: (request: IncomingMessage, response: ServerResponse, body: Uint8Array) => void,
): RequestFault => {
  let left = number;
  return (request, response, body) => left-- > 0 && (mischief(request, response, body!), true);
};
/** Announces the whole rest of the file, and closes the connection after a share of it. */
const cut =
  (share: number) =>
  (request: IncomingMessage, response: ServerResponse, body: Uint8Array): void => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = body.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": rest.length,
      etag: '"one"',
      ...(from > 0 && { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` }),
    });
    response.write(rest.subarray(0, Math.floor(rest.length * share)), () =>
      setTimeout(() => response.destroy(), 50),
    );
  };
const starts = (): number[] => at.server.asked.map(({ range }) => Number(/\d+/.exec(range ?? "0")![0]));

describe("downloadFile()", () => {
  it("stores a file in parts, reports progress, and sends no request for a stored file", async () => {
    const { get, whole, bytes } = begin();
    const told: number[] = [];
    await get({ onProgress: (done) => told.push(done) });
    expect(await whole()).toBe(true);
    expect(told).toEqual([2 ** 20, 2 ** 21, SIZE]);
    expect(await bytes.keys()).toHaveLength(3);
    await get();
    expect(at.server.asked).toHaveLength(1);
  });

  it("C13: fetches no byte twice if the connection breaks three times", async () => {
    const { get, whole } = begin();
    at.server.mischief = times(3, cut(0.4));
    await get();
    expect(await whole()).toBe(true);
    expect(starts()).toEqual([0, 1_000_000, 1_600_000, 1_960_000]);
    expect(at.server.asked.at(-1)!.ifRange).toBe('"one"');
  });

  it("C13: gives up after the fourth broken connection, keeps the received bytes, and resumes next time", async () => {
    const { get, whole } = begin();
    at.server.mischief = times(4, cut(0.4));
    expect(await failure(get())).toMatchObject({ code: "model-unreadable", retryable: true });
    at.server.mischief = undefined;
    await get();
    expect(await whole()).toBe(true);
    expect(starts().at(-1)).toBe(2_176_000);
  });

  it("C13: stores the whole file if the server ignores Range and sends everything again", async () => {
    const { get, whole } = begin();
    let tried = 0;
    at.server.mischief = (request, response, body) => {
      if (tried++ === 0) return (cut(0.5)(request, response, body!), true);
      response.writeHead(200).end(body);
      return true;
    };
    await get();
    expect(await whole()).toBe(true);
    expect(starts()).toEqual([0, SIZE / 2]);
  });

  it.each([
    ["sends a different range", 206, { "content-range": `bytes 5-${SIZE - 1}/${SIZE}` }],
    ["reports an unsatisfiable range", 416, {}],
  ])("C13: restarts the download if the server %s", async (_, status, headers) => {
    const { get, whole } = begin();
    let tried = 0;
    at.server.mischief = (request, response, body) => {
      if (tried++ === 0) return (cut(0.5)(request, response, body!), true);
      if (tried === 2) return (response.writeHead(status, headers).end("x"), true);
      return false;
    };
    await get();
    expect(await whole()).toBe(true);
    expect(starts()).toEqual([0, SIZE / 2, 0]);
  });

  it("C13: keeps the received bytes if the server is busy, and obeys Retry-After", async () => {
    const { get, whole } = begin();
    let tried = 0;
    at.server.mischief = (request, response, body) => {
      if (tried++ === 0) return (cut(0.5)(request, response, body!), true);
      if (tried === 2) return (response.writeHead(503, { "retry-after": "0.3" }).end(), true);
      return false;
    };
    const started = performance.now();
    await get();
    expect(performance.now() - started).toBeGreaterThan(300);
    expect(await whole()).toBe(true);
    expect(starts()).toEqual([0, SIZE / 2, SIZE / 2]);
  });

  it("C13: detects a bit flipped in transit, and fetches the file again", async () => {
    const { get, whole } = begin();
    at.server.mischief = times(
      1,
      (_, response, body) =>
        void response.writeHead(200).end(body.map((byte, i) => (i === 1_234_567 ? byte ^ 4 : byte))),
    );
    await get();
    expect(await whole()).toBe(true);
    expect(starts()).toEqual([0, 0]);
  });

  it("C13: tries a file with another hash four times, and keeps nothing of it", async () => {
    const { get, bytes } = begin({ "weights.bin": content.map((byte) => byte ^ 1) });
    expect(await failure(get())).toMatchObject({
      code: "model-unreadable",
      message: expect.stringContaining(`expected a file with the hash ${at.file.sha256}`),
    });
    expect(at.server.asked).toHaveLength(4);
    expect(await bytes.keys()).toEqual([]);
  });

  it("C13: rejects a truncated file after all retries", async () => {
    const { get, whole } = begin({ "weights.bin": content.subarray(0, 1000) });
    expect(await failure(get())).toMatchObject({ code: "model-unreadable", retryable: true });
    expect(await whole()).toBe(false);
  });

  it("C13: stops at once if the server sends more than promised, and keeps nothing", async () => {
    const { get, bytes } = begin();
    let sent = 0;
    at.server.mischief = (_, response) => {
      const more = (): void => {
        sent += 65_536;
        if (!response.destroyed) response.write(new Uint8Array(65_536), () => setImmediate(more));
      };
      more();
      return true;
    };
    expect(await failure(get())).toMatchObject({
      code: "model-unreadable",
      retryable: false,
      message: expect.stringContaining("got more"),
    });
    expect(await bytes.keys()).toEqual([]);
    await expect.poll(() => at.server.asked.length).toBe(1);
    expect(sent).toBeLessThan(50_000_000);
  });

  it("C4: rejects an HTML page with status 200, and keeps the received parts", async () => {
    const { get, whole } = begin();
    at.server.mischief = times(4, cut(0.2));
    await failure(get());
    at.server.mischief = times(
      1,
      (_, response) =>
        void response
          .writeHead(200, { "content-type": "text/html; charset=utf-8" })
          .end("<html>Sign in to the hotel's network</html>"),
    );
    expect(await failure(get())).toMatchObject({
      code: "model-unreadable",
      retryable: false,
      message: expect.stringContaining("an HTML page"),
    });
    at.server.asked.length = 0;
    await get();
    expect(starts()[0]).toBeGreaterThan(0);
    expect(await whole()).toBe(true);
  });

  it("does not retry a missing file, but retries after a server error", async () => {
    const { get } = begin({});
    expect(await failure(get())).toMatchObject({
      code: "model-unreadable",
      retryable: false,
      message: expect.stringContaining("got 404"),
    });
    expect(at.server.asked).toHaveLength(1);
    at.server.mischief = (_, response) => (response.writeHead(500).end(), true);
    expect(await failure(get())).toMatchObject({ retryable: true });
    expect(at.server.asked).toHaveLength(5);
  });

  it("C2: drops a connection that sends nothing, and one that is too slow", async () => {
    const { get, whole } = begin();
    at.server.mischief = times(
      1,
      (_, response, body) =>
        void response.writeHead(200, { "content-length": body.length }).write(body.subarray(0, 10)),
    );
    await get({ stallMs: 150 });
    expect(await whole()).toBe(true);

    const slow = begin();
    const timers = new Set<NodeJS.Timeout>();
    at.server.mischief = times(4, (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 20);
      timers.add(timer);
      response.on("close", () => clearInterval(timer));
    });
    expect(await failure(slow.get({ stallMs: 200, slowest: 1e8 }))).toMatchObject({
      code: "model-unreadable",
      retryable: true,
      message: expect.stringContaining("bytes per second"),
    });
  });

  it("rejects with the signal's reason when aborted, and resumes later", async () => {
    const { get, whole } = begin();
    const leaving = new AbortController();
    at.server.mischief = times(
      1,
      (_, response, body) =>
        void response
          .writeHead(200, { "content-length": body.length })
          .write(body.subarray(0, 1_200_000), () => setTimeout(() => leaving.abort(new Error("left")), 100)),
    );
    await expect(get({ signal: leaving.signal })).rejects.toThrow("left");
    await expect(get({ signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    await get();
    expect(await whole()).toBe(true);
    expect(starts().at(-1)).toBeGreaterThanOrEqual(2 ** 20);
  });

  it("fetches a file again if a bit flipped on the disk, in a partial or a complete file", async () => {
    const { get, whole, bytes } = begin();
    at.server.mischief = times(4, cut(0.3));
    await failure(get());
    const flip = async (): Promise<void> => {
      const [key] = await bytes.keys();
      const part = (await bytes.get(key!))!;
      part[5]! ^= 1;
      await bytes.set(key!, part);
    };
    await flip();
    await get();
    expect(await whole()).toBe(true);
    await flip();
    expect(await whole()).toBe(false);
    await get();
    expect(await whole()).toBe(true);
  });
});
