import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentDigest } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import { at } from "../../../../testing/servers/served.ts";
import { sample } from "../../../../testing/suites/sample-store-suite.ts";
import { createCloud, type Cloud } from "../http/create-cloud.ts";
import { directorySamples } from "./directory-samples.node.ts";
import { sampleService, type SampleServiceOptions } from "./sample-service.ts";
import { memorySamples } from "./sample-store.ts";

const keeping = async (options: Partial<SampleServiceOptions> = {}): Promise<Cloud> => {
  const cloud = createCloud({ services: [sampleService({ store: memorySamples(), ...options })] });
  await cloud.start();
  return cloud;
};
const send = (id: string, body: Uint8Array<ArrayBuffer> = sample(id), key: string | null = id): Request =>
  at("/v1/samples", { method: "POST", body, headers: key === null ? {} : { "idempotency-key": key } });
const reply = async (cloud: Cloud, request: Request): Promise<[number, unknown]> => {
  const response = await cloud(request);
  return [response.status, await response.json()];
};
const isReady = async (cloud: Cloud): Promise<boolean> => (await cloud(at("/v2/health/ready"))).ok;

describe("sampleService()", () => {
  it("stores a sample once: responds with 201, then with 200, and with 409 to different bytes", async () => {
    const cloud = await keeping();
    expect(await reply(cloud, send("a"))).toEqual([201, { stored: true }]);
    expect(await reply(cloud, send("a"))).toEqual([200, { stored: true, duplicate: true }]);
    expect(await reply(cloud, send("a", sample("a", Uint8Array.of(9))))).toEqual([
      409,
      { error: "keep a sample: expected the stored bytes of a; got different bytes" },
    ]);
    expect(await reply(cloud, at("/v1/samples"))).toEqual([200, { ids: ["a"] }]);
    expect(await (await cloud(at("/metrics"))).text()).toContain('sedna_samples_total{code="201"} 1');
  });

  it("rejects samples before it is open and after it is closed", async () => {
    const store = memorySamples();
    const service = sampleService({ store });
    const cloud = createCloud({ services: [service] });
    expect((await reply(cloud, send("a")))[0]).toBe(503);
    await cloud.start();
    expect((await reply(cloud, send("a")))[0]).toBe(201);
    await service.close();
    expect((await reply(cloud, send("b")))[0]).toBe(503);
    expect((await store.list({ limit: 9 })).ids).toEqual(["a"]);
    expect(service.ready).toBe(false);
  });

  it("C16: is unaffected by duplicates and reordering", async () => {
    const cloud = await keeping({ maxUnderWay: 90 });
    const ids = Array.from({ length: 30 }, (_, i) => `cam/${i}`);
    const order = [...ids, ...ids, ...ids]
      .map((id, i) => ({ id, at: (i * 37) % 90 }))
      .toSorted((a, b) => a.at - b.at);
    const codes = await Promise.all(order.map(async ({ id }) => (await cloud(send(id))).status));
    expect([
      codes.filter((code) => code === 201).length,
      codes.filter((code) => code === 200).length,
    ]).toEqual([30, 60]);
    expect((await reply(cloud, at("/v1/samples")))[1]).toEqual({ ids: ids.toSorted() });
  });

  it.each<[string, Request, string]>([
    ["garbage", send("a", Uint8Array.of(1, 2, 3)), "read sample's head length: expected 4 bytes; got 3"],
    ["an HTML page", send("a", new TextEncoder().encode("<html></html>")), "read sample's head length"],
  ])("answers 400 to %s", async (_, request, message) => {
    expect(await reply(await keeping(), request)).toEqual([400, { error: expect.stringContaining(message) }]);
  });

  it("responds with 412 to a sample that was damaged in transit, because it may be sent again", async () => {
    const cloud = await keeping();
    const spoilt = (headers: Record<string, string>): Request =>
      at("/v1/samples", { method: "POST", body: sample("a"), headers });
    const digest = contentDigest(createHash("sha256").update(sample("a")).digest());
    expect(await reply(cloud, send("a", sample("a"), null))).toEqual([
      412,
      { error: expect.stringContaining("expected Idempotency-Key as the sample's id; got none") },
    ]);
    expect(await reply(cloud, send("a", sample("a"), "b"))).toEqual([
      412,
      { error: expect.stringContaining("got another") },
    ]);
    expect(
      await reply(cloud, spoilt({ "idempotency-key": "a", "content-digest": digest.replace(/=:./, "=:x") })),
    ).toEqual([412, { error: expect.stringContaining("Content-Digest") }]);
    expect((await reply(cloud, spoilt({ "idempotency-key": "a", "content-digest": digest })))[0]).toBe(201);
  });

  it("responds with 413 to a sample that is too large, 405 to another method, and 400 to an invalid limit", async () => {
    const cloud = await keeping({ maxSampleBytes: 200 });
    expect((await reply(cloud, send("a", sample("a", new Uint8Array(300)))))[0]).toBe(413);
    expect((await reply(cloud, at("/v1/samples", { method: "DELETE" })))[0]).toBe(405);
    for (const limit of ["0", "1001", "x", "-1"])
      expect((await reply(cloud, at(`/v1/samples?limit=${limit}`)))[0]).toBe(400);
  });

  it("steers the pace: responds with 429 above the rate, each time with a later retry time", async () => {
    const cloud = await keeping({ perSecond: 1, burst: 1, now: () => 0 });
    const answers = [];
    for (const id of ["a", "b", "c"]) answers.push(await cloud(send(id)));
    expect(answers.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual([
      [201, null],
      [429, "1"],
      [429, "2"],
    ]);
  });

  it("responds with 503 if too many samples are in progress, and accepts samples when those are done", async () => {
    const store = memorySamples();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const cloud = await keeping({
      maxUnderWay: 1,
      store: { ...store, put: (id, bytes) => gate.then(() => store.put(id, bytes)) },
    });
    const first = cloud(send("a"));
    const second = await cloud(send("b"));
    expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
    open();
    expect((await first).status).toBe(201);
    expect((await cloud(send("b"))).status).toBe(201);
  });

  it("is not ready before it is open or after it is closed", async () => {
    const cloud = createCloud({ services: [sampleService({ store: memorySamples() })] });
    expect(await isReady(cloud)).toBe(false);
    expect((await cloud(send("a"))).status).toBe(503);
    await cloud.start();
    expect(await isReady(cloud)).toBe(true);
    await cloud.drain();
    expect((await cloud(send("a"))).status).toBe(503);
  });

  it("C24: responds with 507 and is not ready if the store is full, keeps the stored samples, and recovers when there is space", async () => {
    let room = false;
    const full = memorySamples({ maxBytes: sample("a").length });
    const large = memorySamples();
    const cloud = await keeping({
      store: {
        ...large,
        put: (id, bytes) => (room ? large : full).put(id, bytes),
        hasRoom: async () => room,
      },
    });
    expect((await cloud(send("a"))).status).toBe(201);
    const rejected = await cloud(send("b"));
    expect([rejected.status, rejected.headers.get("retry-after")]).toEqual([507, "30"]);
    expect((await cloud(send("a"))).status).toBe(200);
    expect((await cloud(send("b"))).status).toBe(507);
    expect(await isReady(cloud)).toBe(false);
    room = true;
    await expect.poll(() => isReady(cloud)).toBe(true);
    expect((await cloud(send("b"))).status).toBe(201);
  });
});

const canMount = ((): boolean => {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();

describe.skipIf(!canMount)("sampleService() on a small disk (a tmpfs, which only root may mount)", () => {
  it("C24: responds with 507 and is not ready if a disk of two megabytes is full, loses nothing, and recovers when space is freed", async () => {
    const path = await mkdtemp(join(tmpdir(), "small-disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", path]);
    try {
      await writeFile(join(path, "ballast"), new Uint8Array(2 ** 20));
      const store = directorySamples(join(path, "samples"));
      const cloud = await keeping({ store, maxSampleBytes: 400_000 });
      const payload = new Uint8Array(300_000);
      const codes: number[] = [];
      for (let i = 0; i < 5; i++) codes.push((await cloud(send(`s${i}`, sample(`s${i}`, payload)))).status);
      expect(codes).toEqual([201, 201, 201, 507, 507]);
      expect(await isReady(cloud)).toBe(false);
      expect((await store.list({ limit: 10 })).ids.toSorted()).toEqual(["s0", "s1", "s2"]);
      for (const id of ["s0", "s1", "s2"])
        expect((await store.read(id))!.length).toBe(sample(id, payload).length);
      await rm(join(path, "ballast"));
      await expect.poll(() => isReady(cloud)).toBe(true);
      expect((await cloud(send("s3", sample("s3", payload)))).status).toBe(201);
    } finally {
      execFileSync("umount", [path]);
      await rm(path, { recursive: true });
    }
  });
});
