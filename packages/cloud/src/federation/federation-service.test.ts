import { mergeFederationOptions } from "../../../../testing/fakes/merge-federation-options.ts";
import { UPDATE_TYPE, type SessionGrant } from "@sedna-js/core/wire";
import { afterEach, describe, expect, it } from "vitest";
import { createCloud, type CloudOptions } from "../http/create-cloud.ts";
import type { Serving } from "../http/platform.ts";
import { serve } from "../http/serve.node.ts";
import { createFederation } from "./create-federation.ts";
import { closed, message, openTokens, plainMean } from "./federation-fixture.suite.ts";
import type { FederationOptions } from "./federation-options.ts";
import type { Federation } from "./federation.ts";
import { federationService } from "./federation-service.ts";
import { memoryFederationLog } from "./log/memory-federation-log.ts";

// Real HTTP over loopback.

const running: Serving[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

async function started(options: Partial<FederationOptions> = {}, cloudOptions: Partial<CloudOptions> = {}) {
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { layout: [{ name: "w", shape: [4] }] },
        aggregator: plainMean,
        rounds: { participants: 2, numRounds: 2 },
        runtime: { seed: 1 },
      },
      options,
    ),
  );
  const cloud = createCloud({
    services: [federationService({ federations: [federation], sessions: openTokens() })],
    token: "the-clouds-own",
    ...cloudOptions,
  });
  await cloud.start();
  const serving = await serve(cloud, { port: 0 });
  running.push(serving);
  const base = `${serving.url}/v1/federations/digits`;
  const as =
    (token: string) =>
    (path: string, init: RequestInit = {}) =>
      fetch(base + path, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
      });
  const joined = async (device: string) => {
    const response = await fetch(`${base}/sessions`, {
      method: "POST",
      body: JSON.stringify({ protocol: 1, device, numSamples: 10 }),
    });
    expect(response.status).toBe(201);
    const grant = (await response.json()) as SessionGrant;
    return { grant, ask: as(grant.token) };
  };
  return { federation, cloud, serving, base, as, joined };
}
/** Returns the number of clients that listen for their task. */
const watched = (federation: Federation): number => federation.stats().listeners;
type Ask = Awaited<ReturnType<Awaited<ReturnType<typeof started>>["joined"]>>["ask"];
const put = (
  ask: Ask,
  {
    round,
    bytes,
    headers = {},
  }: { round: number; bytes: Uint8Array<ArrayBuffer>; headers?: Record<string, string> },
) =>
  ask(`/rounds/${round}/update`, {
    method: "PUT",
    body: bytes,
    headers: { "content-type": UPDATE_TYPE, ...headers },
  });

describe("a federation over HTTP", () => {
  it("accepts joins, sends tasks and models, and accepts updates", async () => {
    const { federation, joined, base } = await started();
    const a = await joined("a");
    expect(a.grant).toMatchObject({ plan: { name: "digits", participants: 2 }, epoch: 1 });
    const waiting = (await (await a.ask("/task")).json()) as { seq: number };
    expect(waiting).toMatchObject({ kind: "wait" });
    const polled = a.ask(`/task?after=${waiting.seq}&wait=20`);
    const b = await joined("b");
    const task = (await (await polled).json()) as { seq: number };
    expect(task).toMatchObject({ kind: "train", round: 1, modelVersion: 0 });

    const model = await a.ask("/models/0");
    expect(new Float32Array(await model.arrayBuffer())).toEqual(new Float32Array(4));
    expect(
      (await a.ask("/models/0", { headers: { "if-none-match": model.headers.get("etag")! } })).status,
    ).toBe(304);
    const rest = await a.ask("/models/0", { headers: { range: "bytes=12-" } });
    expect([rest.status, rest.headers.get("content-range")]).toEqual([206, "bytes 12-15/16"]);

    const done = closed(federation);
    expect(await (await put(a.ask, { round: 1, bytes: message([1, 2, 3, 4], { round: 1 }) })).json()).toEqual(
      { round: 1, accepted: true },
    );
    const again = await put(a.ask, { round: 1, bytes: message([1, 2, 3, 4], { round: 1 }) });
    expect(await again.json()).toEqual({ round: 1, accepted: true, duplicate: true });
    await put(b.ask, { round: 1, bytes: message([3, 2, 3, 4], { round: 1 }) });
    expect(await done).toMatchObject({ modelVersion: 1 });
    expect(new Float32Array(await (await b.ask("/models/1")).arrayBuffer())).toEqual(
      Float32Array.of(2, 2, 3, 4),
    );
    expect(await (await fetch(base)).json()).toMatchObject({ round: 2, modelVersion: 1, state: "running" });
    expect((await put(b.ask, { round: 1, bytes: message([3, 2, 3, 4], { round: 1 }) })).status).toBe(409);
  });

  it("accepts an update in parts, and reports the offset at which to resume", async () => {
    const { joined } = await started();
    const { ask } = await joined("a");
    await joined("b");
    const bytes = message([1, 2, 3, 4], { round: 1 });
    const total = bytes.length;
    const part = (from: number, to: number) =>
      put(ask, {
        round: 1,
        bytes: bytes.slice(from, to),
        headers: { "content-range": `bytes ${from}-${to - 1}/${total}` },
      });
    const first = await part(0, 50);
    expect([first.status, await first.json()]).toEqual([202, { round: 1, accepted: false }]);
    expect((await ask("/rounds/1/update", { method: "HEAD" })).headers.get("upload-offset")).toBe("50");
    const wrong = await part(60, total);
    expect([wrong.status, wrong.headers.get("upload-offset")]).toEqual([409, "50"]);
    expect(await (await part(50, total)).json()).toEqual({ round: 1, accepted: true });
  });

  it("C22: reports a rejection by its status and code, and reads no body that is too long", async () => {
    const { joined, as, base } = await started();
    const { ask } = await joined("a");
    await joined("b");
    const told = async (response: Response): Promise<unknown[]> => [
      response.status,
      ((await response.json()) as { code?: string }).code,
    ];
    expect(await told(await fetch(`${base}/task`))).toEqual([401, "unauthorized"]);
    expect(await told(await as("unknown.1")("/task"))).toEqual([401, "unauthorized"]);
    const newer = await joined("a");
    expect(await told(await ask("/task"))).toEqual([409, "session-replaced"]);
    expect(await told(await put(newer.ask, { round: 1, bytes: new Uint8Array(1_000_000) }))).toEqual([
      413,
      "too-long",
    ]);
    expect(
      await told(await put(newer.ask, { round: 9, bytes: message([1, 2, 3, 4], { round: 9 }) })),
    ).toEqual([409, "wrong-round"]);
    expect(
      await told(await put(newer.ask, { round: 1, bytes: message([1, 2, 3, NaN], { round: 1 }) })),
    ).toEqual([422, "not-finite"]);
    expect(
      (
        await newer.ask("/rounds/1/update", {
          method: "PUT",
          body: new Uint8Array(4),
          headers: { "content-type": "text/plain" },
        })
      ).status,
    ).toBe(415);
    expect((await newer.ask("/models/7")).status).toBe(404);
    expect((await fetch(base.replace("digits", "others"))).status).toBe(404);
    expect((await fetch(`${base}/sessions`, { method: "POST", body: "{" })).status).toBe(400);
    expect((await fetch(`${base}/sessions`, { method: "POST", body: "x".repeat(100_000) })).status).toBe(413);
  });

  it("requires no token of the cloud, and applies the plan's size limit instead of the cloud's; other paths stay protected", async () => {
    const { joined, serving } = await started(
      { model: { layout: [{ name: "w", shape: [10_000] }] }, rounds: { participants: 1 } },
      { maxBodyBytes: 1000, origins: ["https://app.example"] },
    );
    const { ask } = await joined("a");
    expect(
      await (
        await put(ask, { round: 1, bytes: message(new Float32Array(10_000).fill(1), { round: 1 }) })
      ).json(),
    ).toMatchObject({ accepted: true });
    expect((await fetch(`${serving.url}/metrics`)).status).toBe(401);
    const preflight = await fetch(`${serving.url}/v1/federations/digits/rounds/1/update`, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization,content-range,content-type",
      },
    });
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("content-range");
    const metrics = await (
      await fetch(`${serving.url}/metrics`, { headers: { authorization: "Bearer the-clouds-own" } })
    ).text();
    expect(metrics).toContain('sedna_federation_updates_total{federation="digits",code="accepted"} 1');
    expect(metrics).toContain('sedna_federation_rounds_total{federation="digits",outcome="aggregated"} 1');
  });

  it("keeps one long poll per client, and drops it when the client disconnects", async () => {
    const { federation, joined } = await started();
    const { ask } = await joined("a");
    const { seq } = (await (await ask("/task")).json()) as { seq: number };
    const older = ask(`/task?after=${seq}&wait=30`);
    await expect.poll(() => watched(federation)).toBe(1);
    const gone = new AbortController();
    const newer = ask(`/task?after=${seq}&wait=30`, { signal: gone.signal }).catch(
      (error: Error) => error.name,
    );
    expect(await (await older).json()).toMatchObject({ seq });
    await expect.poll(() => watched(federation)).toBe(1);
    gone.abort();
    expect(await newer).toBe("AbortError");
    await expect.poll(() => watched(federation)).toBe(0);
  });

  it("C25: shuts down without waiting for long polls, and resumes the same round after a restart", async () => {
    const log = memoryFederationLog();
    const first = await started({ storage: { log } });
    const a = await first.joined("a");
    await first.joined("b");
    expect(
      await (await put(a.ask, { round: 1, bytes: message([1, 2, 3, 4], { round: 1 }) })).json(),
    ).toMatchObject({ accepted: true });
    const { seq } = (await (await a.ask("/task")).json()) as { seq: number };
    const polled = a.ask(`/task?after=${seq}&wait=30`);
    await expect.poll(() => watched(first.federation)).toBe(1);
    const closing = running.pop()!.close();
    const answer = await polled;
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    await closing;

    const second = await started({ storage: { log } });
    const [again, b] = [await second.joined("a"), await second.joined("b")];
    expect(await (await again.ask("/task")).json()).toMatchObject({
      kind: "train",
      round: 1,
      accepted: true,
    });
    const done = closed(second.federation);
    await put(b.ask, { round: 1, bytes: message([3, 2, 1, 0], { round: 1 }) });
    await done;
    expect([...second.federation.model(1)!.parameters]).toEqual([2, 2, 2, 2]);
  });
});
