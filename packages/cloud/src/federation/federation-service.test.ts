import { UPDATE_TYPE, type SessionGrant } from "@sedna-js/core";
import { afterEach, describe, expect, it } from "vitest";
import { createCloud } from "../create-cloud.ts";
import type { Serving } from "../platform/contract.ts";
import { serve } from "../serve.node.ts";
import { createFederation } from "./create-federation.ts";
import { closed, message, openTokens, plainMean } from "./federation-fixture.suite.ts";
import type { FederationOptions } from "./federation-options.ts";
import { federationService } from "./federation-service.ts";

// Real HTTP over loopback.

const running: Serving[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

async function started(options: Partial<FederationOptions> = {}) {
  const federation = createFederation({ name: "digits", layout: [{ name: "w", shape: [4] }], aggregator: plainMean, rounds: { participants: 2, exitRound: 2 }, seed: 1, ...options });
  const cloud = createCloud({ services: [federationService({ federations: [federation], sessions: openTokens() })], token: "the-clouds-own" });
  await cloud.start();
  const serving = await serve(cloud, { port: 0 });
  running.push(serving);
  const base = `${serving.url}/v1/federations/digits`;
  const as = (token: string) => (path: string, init: RequestInit = {}) => fetch(base + path, { ...init, headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) } });
  const joined = async (device: string) => {
    const response = await fetch(`${base}/sessions`, { method: "POST", body: JSON.stringify({ protocol: 1, device, numSamples: 10 }) });
    expect(response.status).toBe(201);
    const grant = (await response.json()) as SessionGrant;
    return { grant, ask: as(grant.token) };
  };
  return { federation, cloud, serving, base, as, joined };
}
type Ask = Awaited<ReturnType<Awaited<ReturnType<typeof started>>["joined"]>>["ask"];
const put = (ask: Ask, { round, bytes, headers = {} }: { round: number; bytes: Uint8Array<ArrayBuffer>; headers?: Record<string, string> }) => ask(`/rounds/${round}/update`, { method: "PUT", body: bytes, headers: { "content-type": UPDATE_TYPE, ...headers } });

describe("a federation over HTTP", () => {
  it("is joined, tells tasks, gives models and takes updates", async () => {
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
    expect((await a.ask("/models/0", { headers: { "if-none-match": model.headers.get("etag")! } })).status).toBe(304);
    const rest = await a.ask("/models/0", { headers: { range: "bytes=12-" } });
    expect([rest.status, rest.headers.get("content-range")]).toEqual([206, "bytes 12-15/16"]);

    const done = closed(federation);
    expect(await (await put(a.ask, { round: 1, bytes: message([1, 2, 3, 4], { round: 1 }) })).json()).toEqual({ round: 1, counted: true });
    const again = await put(a.ask, { round: 1, bytes: message([1, 2, 3, 4], { round: 1 }) });
    expect(await again.json()).toEqual({ round: 1, counted: true, duplicate: true });
    await put(b.ask, { round: 1, bytes: message([3, 2, 3, 4], { round: 1 }) });
    expect(await done).toMatchObject({ modelVersion: 1 });
    expect(new Float32Array(await (await b.ask("/models/1")).arrayBuffer())).toEqual(Float32Array.of(2, 2, 3, 4));
    expect(await (await fetch(base)).json()).toMatchObject({ round: 2, modelVersion: 1, state: "running" });
    expect((await put(b.ask, { round: 1, bytes: message([3, 2, 3, 4], { round: 1 }) })).status).toBe(409);
  });

  it("takes an update in parts, and says from where to go on", async () => {
    const { joined } = await started();
    const { ask } = await joined("a");
    await joined("b");
    const bytes = message([1, 2, 3, 4], { round: 1 });
    const total = bytes.length;
    const part = (from: number, to: number) => put(ask, { round: 1, bytes: bytes.slice(from, to), headers: { "content-range": `bytes ${from}-${to - 1}/${total}` } });
    const first = await part(0, 50);
    expect([first.status, await first.json()]).toEqual([202, { round: 1, counted: false }]);
    expect((await ask("/rounds/1/update", { method: "HEAD" })).headers.get("upload-offset")).toBe("50");
    const wrong = await part(60, total);
    expect([wrong.status, wrong.headers.get("upload-offset")]).toEqual([409, "50"]);
    expect(await (await part(50, total)).json()).toEqual({ round: 1, counted: true });
  });
});
