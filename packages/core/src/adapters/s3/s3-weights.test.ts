import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import {
  startS3Server,
  type S3Server,
  type S3ServerOptions,
} from "../../../../../testing/servers/s3-server.ts";
import { weightStoreSuite } from "../../../../../testing/suites/weight-store-suite.ts";
import { SednaError } from "../../errors.ts";
import { createUpdateEncoder } from "../../update-codec/create-update-encoder.ts";
import { decodeUpdate, modelUpdate } from "../../update-codec/model-update.ts";
import { readUpdateMessage } from "../../wire/update-message.ts";
import { parseUpdateReference, updateKey } from "../../wire/update-reference.ts";
import { s3Weights, type S3WeightsOptions } from "./s3-weights.ts";
import { sha256Hex, type WeightStore } from "../../weight-store/weight-store.ts";

const open: S3Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
async function start(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await startS3Server(options);
  open.push(server);
  return server;
}
const storeOn = ({ url }: S3Server, options: Partial<S3WeightsOptions> = {}): WeightStore =>
  s3Weights({
    endpoint: url,
    aggDataPath: "s3://weights/jobs/fl=1",
    accessKeyId: "tester",
    secretAccessKey: "secret/with+signs",
    ...options,
  });
const bytes = Uint8Array.of(1, 2, 3, 4);
const all = { maxBytes: 1000 };
/** Answers the first `count` requests with `answer`, and lets the server handle the others. */
const first = (
  count: number,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): NonNullable<S3ServerOptions["intercept"]> => {
  let left = count;
  return (request, response) => {
    if (left-- <= 0) return false;
    request.resume().on("end", () => answer(request, response));
    return true;
  };
};
const failing = (
  status: number,
  {
    code = "",
    headers = {},
  }: { readonly code?: string; readonly headers?: Readonly<Record<string, string>> } = {},
) =>
  first(1, (_, response) =>
    response.writeHead(status, headers).end(code && `<Error><Code>${code}</Code></Error>`),
  );
const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no error",
    (error: unknown) => error,
  );

weightStoreSuite("S3, by a server that checks signatures", async () => storeOn(await start()));

describe("s3Weights()", () => {
  it("stores bytes below aggDataPath, with their hash", async () => {
    const server = await start();
    await storeOn(server).put("digits/models/3", bytes);
    expect([...server.objects.keys()]).toEqual(["/weights/jobs/fl=1/digits/models/3"]);
    expect(server.objects.get("/weights/jobs/fl=1/digits/models/3")!.meta["x-amz-meta-sha256"]).toBe(
      "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a",
    );
  });

  it("transfers an update from a client to its aggregator, which receives a reference to it", async () => {
    const server = await start();
    const change = Float32Array.from({ length: 1003 }, (_, i) => Math.sin(i));
    const { message } = createUpdateEncoder({ plan: { encoding: "f32" }, length: change.length }).encode(
      change,
      { round: 4, modelVersion: 3, numSamples: 10 },
    );
    const key = updateKey({ federation: "digits", round: 4, id: "c1-x7" });
    await storeOn(server).put(key, message);
    const told = JSON.stringify({ key, bytes: message.length, sha256: await sha256Hex(message) });

    const reference = parseUpdateReference(told, { federation: "digits", round: 4 });
    const { head, payload } = readUpdateMessage(
      (await storeOn(server).get(reference.key, { maxBytes: reference.bytes, sha256: reference.sha256 }))!,
    );
    expect(decodeUpdate(modelUpdate(head, payload), head.length)).toEqual(change);
    await storeOn(server).put(
      key,
      Uint8Array.from(message, (byte, i) => (i === 200 ? byte ^ 1 : byte)),
    );
    await expect(
      storeOn(server).get(reference.key, { maxBytes: reference.bytes, sha256: reference.sha256 }),
    ).rejects.toMatchObject({ code: "cloud-garbage" });
  });

  it.each([
    [
      "another secret",
      { secretAccessKey: "secret" },
      { code: "cloud-refused", retryable: false },
      "403 SignatureDoesNotMatch; is the secret key right?",
    ],
    [
      "another key",
      { accessKeyId: "unknown" },
      { code: "cloud-refused", retryable: false },
      "403 InvalidAccessKeyId",
    ],
    [
      "another region",
      { region: "eu-west-1" },
      { code: "cloud-refused", retryable: false },
      "400 AuthorizationHeaderMalformed; is it another region?",
    ],
    [
      "a missing bucket",
      { aggDataPath: "s3://elsewhere" },
      { code: "cloud-refused", retryable: false },
      "404 NoSuchBucket; does the bucket exist?",
    ],
  ] as const)("reports the cause for %s", async (_, options, error, message) => {
    const store = storeOn(await start(), options);
    for (const call of [() => store.put("a", bytes), () => store.get("a", all), () => store.delete("a")]) {
      const thrown = await errorOf(call());
      expect(thrown).toMatchObject(error);
      expect((thrown as Error).message).toContain(message);
      expect((thrown as Error).message).not.toContain("secret/with");
    }
  });

  it.each([
    [
      503,
      { code: "SlowDown", headers: { "retry-after": "7" } },
      { code: "cloud-busy", retryable: true, retryAfterMs: 7000 },
    ],
    [429, {}, { code: "cloud-busy", retryable: true }],
    [500, { code: "InternalError" }, { code: "cloud-refused", retryable: true }],
    [400, { code: "BadDigest" }, { code: "cloud-refused", retryable: true }],
    [403, { code: "AccessDenied" }, { code: "cloud-refused", retryable: false }],
    [
      301,
      { code: "PermanentRedirect", headers: { location: "http://127.0.0.1:1/" } },
      { code: "cloud-refused", retryable: false },
    ],
  ] as const)(
    "maps status %d %j to an error that a caller can handle, and does not retry by itself",
    async (status, answer, error) => {
      const server = await start({ intercept: failing(status, answer) });
      const thrown = await errorOf(storeOn(server).put("a", bytes));
      expect(thrown).toBeInstanceOf(SednaError);
      expect(thrown).toMatchObject(error);
      expect(server.log).toEqual([]);
      await storeOn(server).put("a", bytes);
      expect(server.log).toEqual(["PUT /weights/jobs/fl=1/a 200"]);
    },
  );

  it("C15: adopts the server's clock after the first rejection if the device's clock is hours off", async () => {
    const server = await start();
    for (const off of [-5 * 3_600_000, 30 * 86_400_000]) {
      server.log.length = 0;
      const store = storeOn(server, { now: () => Date.now() + off });
      await store.put("a", bytes);
      expect(await store.get("a", all)).toEqual(bytes);
      expect(server.log).toEqual([
        "PUT /weights/jobs/fl=1/a 403",
        "PUT /weights/jobs/fl=1/a 200",
        "GET /weights/jobs/fl=1/a 200",
      ]);
    }
  });

  it("stops after one retry if the server's clock is implausible", async () => {
    let asked = 0;
    const server = await start({
      intercept: first(10, (_, response) => {
        asked++;
        response
          .writeHead(403)
          .end(
            `<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2031-01-01T00:00:00Z</ServerTime></Error>`,
          );
      }),
    });
    await expect(storeOn(server).put("a", bytes)).rejects.toMatchObject({ code: "cloud-refused" });
    expect(asked).toBe(2);
  });

  it("detects bytes that were corrupted in the bucket, by the hash that is stored with them", async () => {
    const server = await start();
    const store = storeOn(server);
    await store.put("a", bytes);
    server.objects.get("/weights/jobs/fl=1/a")!.bytes = Buffer.of(1, 2, 3, 5);
    await expect(store.get("a", all)).rejects.toMatchObject({ code: "cloud-garbage", retryable: true });
  });

  it("C4: reports a truncated body and an unreachable server as retryable", async () => {
    const server = await start({
      intercept: first(1, (_, response) => {
        response.writeHead(200, { "content-length": "100" }).write("x");
        setImmediate(() => response.destroy());
      }),
    });
    await expect(storeOn(server).get("a", all)).rejects.toMatchObject({
      code: "cloud-unreachable",
      retryable: true,
    });
    await server.close();
    await expect(storeOn(server).put("a", bytes)).rejects.toMatchObject({
      code: "cloud-unreachable",
      retryable: true,
    });
  });

  it("stops reading an endless body", async () => {
    let cut: (() => void) | undefined;
    const wasCut = new Promise<void>((resolve) => (cut = resolve));
    const server = await start({
      intercept: first(1, (_, response) => {
        response.writeHead(200);
        const pour = (): void => {
          while (response.write(Buffer.alloc(65_536)));
        };
        response.on("drain", pour).on("close", () => cut!());
        pour();
      }),
    });
    await expect(storeOn(server).get("a", { maxBytes: 100_000 })).rejects.toMatchObject({
      code: "cloud-garbage",
      retryable: false,
    });
    await wasCut;
  });

  it("C2: settles by its deadline, and at once on abort, if the server never responds", async () => {
    const silent = await start({ intercept: first(10, () => {}) });
    await expect(storeOn(silent, { deadlineMs: 50 }).put("a", bytes)).rejects.toMatchObject({
      code: "cloud-timeout",
      retryable: true,
    });
    const controller = new AbortController();
    const asked = errorOf(storeOn(silent).get("a", { ...all, signal: controller.signal }));
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await asked).toBe(reason);
  });

  it.each([
    [{ endpoint: "ftp://x" }, "endpoint"],
    [{ endpoint: "http://user:secret@x" }, "without a path, a user name or a password"],
    [{ endpoint: "http://x/path" }, "endpoint"],
    [{ endpoint: "http://[" }, "endpoint"],
    [{ aggDataPath: "/local/path" }, "aggDataPath"],
    [{ aggDataPath: "s3://bucket/../x" }, "aggDataPath"],
    [{ aggDataPath: "s3://bucket/a b" }, "aggDataPath"],
    [{ aggDataPath: "s3://" }, "aggDataPath"],
  ])("refuses %j", (options, message) => {
    expect(() =>
      s3Weights({
        endpoint: "s3.example.com",
        aggDataPath: "s3://bucket/prefix/",
        accessKeyId: "a",
        secretAccessKey: "b",
        ...options,
      }),
    ).toThrow(TypeError);
    expect(() =>
      s3Weights({
        endpoint: "s3.example.com",
        aggDataPath: "s3://bucket/prefix/",
        accessKeyId: "a",
        secretAccessKey: "b",
        ...options,
      }),
    ).toThrow(message);
  });
});
