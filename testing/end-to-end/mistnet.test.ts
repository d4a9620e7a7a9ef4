import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SednaError } from "@sedna-js/core";
import { writeMistnetUpload, type MistnetPlan, type MistnetRecords } from "@sedna-js/core/wire";
import { createCloud } from "../../packages/cloud/src/http/create-cloud.ts";
import { directoryFederationLog } from "../../packages/cloud/src/federation/log/directory-federation-log.node.ts";
import { memoryFederationLog } from "../../packages/cloud/src/federation/log/memory-federation-log.ts";
import {
  mistnetService,
  type MistnetServiceOptions,
} from "../../packages/cloud/src/mistnet/mistnet-service.ts";
import { serve } from "../../packages/cloud/src/http/serve.node.ts";
import {
  createMistnetEdge,
  type MistnetEdge,
  type MistnetEdgeOptions,
} from "../../packages/edge-agent/src/mistnet/mistnet-edge.ts";
import { memoryBytes } from "../../packages/edge-agent/src/storage/memory-bytes.ts";

// Both sides of MistNet over real HTTP.

const plan: MistnetPlan = {
  protocol: 1,
  name: "doors",
  cutLayer: "pool",
  head: { kind: "softmax", features: 2, classes: 2 },
  mechanism: "laplace",
  epsilon: 20,
  delta: 0,
  labelShare: 0.2,
  bound: 2,
  maxRecords: 500,
};
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const open = async (
  options: Partial<MistnetServiceOptions> = {},
): Promise<{
  readonly url: string;
  readonly service: ReturnType<typeof mistnetService>;
  readonly close: () => Promise<void>;
}> => {
  const service = mistnetService({
    plan,
    store: memoryFederationLog(),
    participants: 3,
    deadlineAt: Date.now() + 3_600_000,
    ...options,
  });
  const cloud = createCloud({ services: [service], token: "secret" });
  await cloud.start();
  const server = await serve(cloud, { port: 0, host: "127.0.0.1" });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await server.close();
    isOpen = false;
  };
  ends.push(close);
  return { url: server.url, service, close };
};
const edge = (url: string, device: string, options: Partial<MistnetEdgeOptions> = {}): MistnetEdge =>
  createMistnetEdge({ url, name: "doors", device, token: "secret", maxEpsilon: 20, ...options });
/** Two classes, one on each side. */
const records = async (): Promise<MistnetRecords> => ({
  features: Float32Array.from({ length: 600 }, (_, i) => ((i >> 1) % 2 === i % 2 ? 1 : -1)),
  labels: Uint32Array.from({ length: 300 }, (_, i) => i % 2),
});

describe("MistNet over HTTP", { timeout: 30_000 }, () => {
  it("collects records once per device, trains the head when all devices have uploaded, and sends it to the edges", async () => {
    const { url, service } = await open();
    const edges = ["a", "b", "c"].map((device) => edge(url, device));
    for (const [i, one] of edges.entries()) {
      expect(await one.upload(records)).toEqual({ epsilon: 20, delta: 0, duplicate: false });
      expect(service.status().received).toBe(i + 1);
    }
    const [head, same] = await Promise.all([edges[0]!.head(), edges[2]!.head()]);
    expect(same).toEqual(head);
    // Class 0 is (1, -1), class 1 is (-1, 1).
    const score = (x: readonly number[], label: number): number =>
      head[2 * label]! * x[0]! + head[2 * label + 1]! * x[1]! + head[4 + label]!;
    expect(score([1, -1], 0)).toBeGreaterThan(score([1, -1], 1));
    expect(score([-1, 1], 1)).toBeGreaterThan(score([-1, 1], 0));
    expect(await edges[1]!.fetchStatus()).toMatchObject({ state: "trained", received: 3, records: 900 });
  });

  it("runs to the head: uploads once, waits, and yields the parameters", async () => {
    const { url } = await open({ participants: 1 });
    const one = edge(url, "a");
    const seen: string[] = [];
    for await (const event of one.run(records)) seen.push(event.type);
    expect(seen).toEqual(["uploaded", "done"]);
    expect(one.status()).toEqual({ state: "done", spent: { epsilon: 20, delta: 0 } });
  });

  it("sends no stored records to a job with another plan, and makes no new ones", async () => {
    const store = memoryBytes();
    await edge((await open({ participants: 3 })).url, "a", { store }).upload(records);
    const { url, service } = await open({ plan: { ...plan, epsilon: 10 } });
    const other = edge(url, "a", { store }).upload(() => Promise.reject(new Error("read the records")));
    await expect(other).rejects.toMatchObject({ code: "privacy-forbids" });
    expect(service.status().received).toBe(0);
  });

  it("C16: sends the same bytes again, never new noise, also after a restart and after the training", async () => {
    const { url } = await open({ participants: 1 });
    const store = memoryBytes();
    const asked = { times: 0 };
    const counting = (): Promise<MistnetRecords> => {
      asked.times++;
      return records();
    };
    expect(await edge(url, "a", { store }).upload(counting)).toMatchObject({ duplicate: false });
    await edge(url, "a", { store }).head();
    const again = edge(url, "a", { store });
    expect(await again.upload(counting)).toMatchObject({ duplicate: true });
    expect(await again.upload(counting)).toMatchObject({ duplicate: true });
    expect(asked.times).toBe(1);
    // Without its store the device would reveal more about its records, so the cloud rejects the upload.
    await expect(edge(url, "a").upload(counting)).rejects.toMatchObject({ code: "cloud-refused" });
  });

  it("C20: keeps all uploads after a restart and trains a bit-identical head from them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sedna-mistnet-"));
    ends.push(() => rm(folder, { recursive: true }));
    const first = await open({ store: directoryFederationLog(folder) });
    for (const device of ["a", "b"]) await edge(first.url, device).upload(records);
    await first.close();
    const second = await open({ store: directoryFederationLog(folder) });
    expect(second.service.status()).toMatchObject({ state: "collecting", received: 2, records: 600 });
    await edge(second.url, "c").upload(records);
    const head = await edge(second.url, "c").head();
    await second.close();
    const third = await open({ store: directoryFederationLog(folder), deadlineAt: 0 });
    expect(await edge(third.url, "a").head()).toEqual(head);
  });

  it("C21: trains at the deadline without the missing devices, or reports that too few took part", async () => {
    for (const [came, state] of [
      [2, "trained"],
      [1, "abandoned"],
    ] as const) {
      const clock = { now: 0, fire: (): void => {} };
      const { url, service } = await open({
        deadlineAt: 1000,
        minParticipants: 2,
        now: () => clock.now,
        timers: { set: (callback) => (clock.fire = callback), clear: () => {} },
      });
      for (let i = 0; i < came; i++) await edge(url, `d${i}`).upload(records);
      expect(service.status().state).toBe("collecting");
      clock.now = 1000;
      clock.fire();
      const head = edge(url, "d0").head();
      if (state === "trained") expect((await head).every(Number.isFinite)).toBe(true);
      else await expect(head).rejects.toMatchObject({ code: "cloud-refused" });
      expect(service.status().state).toBe(state);
      await expect(edge(url, "late").upload(records)).rejects.toMatchObject({ code: "cloud-refused" });
    }
  });

  it("uploads nothing if the plan requires a larger epsilon than the owner allows", async () => {
    const { url, service } = await open();
    const rejected = edge(url, "a", { maxEpsilon: 5 }).upload(() =>
      Promise.reject(new Error("read the records")),
    );
    await expect(rejected).rejects.toEqual(
      expect.objectContaining({ name: "SednaError", code: "privacy-forbids" }),
    );
    expect(service.status().received).toBe(0);
  });

  it("C22: rejects requests without a token and records that are too long, malformed, of another plan, or not finite, and keeps the stored records", async () => {
    const { url, service } = await open({ plan: { ...plan, maxRecords: 300 } });
    await edge(url, "a").upload(records);
    const put = async (body: Uint8Array<ArrayBuffer>, token = "secret"): Promise<number> =>
      (
        await fetch(`${url}/v1/mistnet/doors/uploads/b`, {
          method: "PUT",
          body,
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    const mine = { ...plan, maxRecords: 300 };
    const good = await records();
    expect(await put(writeMistnetUpload(good, mine), "wrong")).toBe(401);
    expect(await put(new Uint8Array(200_000))).toBe(413);
    expect(await put(Uint8Array.of(1, 2, 3))).toBe(400);
    expect(await put(writeMistnetUpload(good, { ...mine, epsilon: 200 }))).toBe(400);
    expect(
      await put(
        writeMistnetUpload({ ...good, features: good.features.map((x, i) => (i === 7 ? NaN : x)) }, mine),
      ),
    ).toBe(400);
    expect(service.status()).toMatchObject({ received: 1, records: 300 });
    expect(await put(writeMistnetUpload(good, mine))).toBe(201);
  });

  it("stops retrying when its signal aborts", async () => {
    const controller = new AbortController();
    const gone = createMistnetEdge({
      url: "http://127.0.0.1:1",
      name: "doors",
      device: "a",
      maxEpsilon: 20,
      fetch: async () => {
        controller.abort(new SednaError("enough", { code: "disposed" }));
        throw new TypeError("no connection");
      },
    });
    await expect(gone.upload(records, { signal: controller.signal })).rejects.toMatchObject({
      message: "enough",
    });
  });
});
