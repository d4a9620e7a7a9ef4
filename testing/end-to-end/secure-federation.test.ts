import { mergeFederationOptions } from "../fakes/merge-federation-options.ts";
import { afterEach, describe, expect, it } from "vitest";
import {
  aggregation,
  createFederatedLearning,
  select,
  type FederationTransport,
  type LabeledSamples,
  type Tensor,
  type TrainableEstimator,
} from "@sedna-js/core";
import { privateAggregator } from "@sedna-js/core/privacy";
import { UPDATE_TYPE, type SecurePhase } from "@sedna-js/core/wire";
import { createCloud } from "../../packages/cloud/src/http/create-cloud.ts";
import { createFederation } from "../../packages/cloud/src/federation/create-federation.ts";
import { openTokens } from "../../packages/cloud/src/federation/federation-fixture.suite.ts";
import type { FederationOptions } from "../../packages/cloud/src/federation/federation-options.ts";
import { federationService } from "../../packages/cloud/src/federation/federation-service.ts";
import type { Federation } from "../../packages/cloud/src/federation/federation.ts";
import { memoryFederationLog } from "../../packages/cloud/src/federation/log/memory-federation-log.ts";
import { serve } from "../../packages/cloud/src/http/serve.node.ts";
import { federationTransport } from "../../packages/edge-agent/src/federation/federation-transport.ts";
import { manualClock, type ManualClock } from "../fakes/manual-clock.ts";

// A federation whose aggregator sees only sums, with real clients, HTTP and engine. Time advances only when a
// test says so, so that a slow machine drops no client.

const LENGTH = 4;
const phases: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
}, 60_000);

/** Returns the update that client `i` adds to every model. */
const updateView = (i: number): Float32Array =>
  Float32Array.from({ length: LENGTH }, (_, j) => Math.sin(3 * i + j));

/** Creates an estimator whose training adds the given update. */
function adding(change: Float32Array): TrainableEstimator<number, number> {
  const weights = new Float32Array(LENGTH);
  const dispose = async (): Promise<void> => {};
  return {
    load: async () => ({ kind: "tensors", inputs: [], outputs: [], backend: "test" }),
    predict: async (sample) => sample,
    evaluate: async () => ({ loss: 0 }),
    getWeights: async (): Promise<Tensor[]> => [{ dtype: "float32", shape: [LENGTH], data: weights.slice() }],
    async setWeights([given]) {
      weights.set(given!.data as Float32Array);
    },
    async train() {
      for (let i = 0; i < LENGTH; i++) weights[i]! += change[i]!;
      return { numSamples: 10, epochs: 1, loss: 0, accuracy: 1 };
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

const samples: LabeledSamples<number> = {
  version: "ten",
  count: 10,
  async *[Symbol.asyncIterator]() {
    for (let i = 0; i < 10; i++) yield { sample: i, label: 0 };
  },
};

interface Stage {
  readonly federation: Federation;
  readonly clock: ManualClock;
  readonly models: Map<number, Float32Array>;
  /** Number of messages that the aggregator accepted, by phase. */
  readonly taken: Record<SecurePhase, number>;
  /** All masked vectors that were sent. */
  readonly masked: Uint8Array[];
  /** What the clients tell: "3 accepted". */
  readonly events: readonly string[];
  readonly url: string;
}

/**
 * Opens a federation and starts its clients. A client stops responding in the phase that `silentIn` returns.
 */
async function open({
  clients,
  silentIn,
  options = {},
}: {
  readonly clients: number;
  readonly silentIn: (i: number) => SecurePhase | undefined;
  readonly options?: Partial<FederationOptions>;
}): Promise<Stage> {
  const clock = manualClock();
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "secret",
        model: { layout: [{ name: "weight", shape: [LENGTH] }] },
        aggregator: select(aggregation, { method: "FedAvg" }),
        rounds: {
          participants: clients,
          overSelect: 1,
          minFraction: 0.5,
          deadlineMs: 100_000,
          selectionMs: 1000,
          numRounds: 1,
        },
        privacy: { secureAggregation: {} },
        runtime: { now: clock.now, timers: clock.timers },
        storage: { log: memoryFederationLog() },
      },
      options,
    ),
  );
  const service = federationService({ federations: [federation], sessions: openTokens(), maxWaitMs: 2000 });
  const cloud = createCloud({ services: [service] });
  await cloud.start();
  const server = await serve(cloud, { port: 0, host: "127.0.0.1" });
  ends.push(() => server.close());
  const models = new Map<number, Float32Array>();
  federation.onRound(({ modelVersion }) =>
    models.set(modelVersion, federation.model(modelVersion)!.parameters.slice()),
  );
  const taken = { keys: 0, shares: 0, masked: 0, unmask: 0 };
  const masked: Uint8Array[] = [];
  const events: string[] = [];
  const life = new AbortController();

  const runs = Array.from({ length: clients }, async (_, i) => {
    const real = federationTransport({
      url: server.url,
      name: "secret",
      control: "poll",
      pollWaitS: 2,
      baseMs: 20,
    });
    const silent = silentIn(i);
    const transport: FederationTransport = {
      ...real,
      async sendSecure(phase, told) {
        // The client stops without a message, like a device whose battery is empty.
        if (silent && phases.indexOf(phase) >= phases.indexOf(silent))
          return new Promise((_, reject) =>
            told.signal.addEventListener("abort", () => reject(told.signal.reason), { once: true }),
          );
        const receipt = await real.sendSecure(phase, told);
        if ("accepted" in receipt) taken[phase]++;
        if (phase === "masked") masked.push(told.message);
        return receipt;
      },
    };
    const learning = createFederatedLearning({
      estimator: adding(updateView(i)),
      transport,
      device: `device-${i}`,
    });
    for await (const event of learning.run(samples, { signal: life.signal }))
      events.push(`${i} ${event.type}`);
  });
  ends.push(() => {
    life.abort();
    return Promise.allSettled(runs);
  });
  return { federation, clock, models, taken, masked, events, url: server.url };
}

/** Waits until `live` messages of a phase are accepted, then advances the clock past the phase's deadline. */
async function pass(
  { clock, taken }: Stage,
  { phase, live }: { readonly phase: SecurePhase; readonly live: number },
): Promise<void> {
  await expect.poll(() => taken[phase], { timeout: 60_000 }).toBe(live);
  clock.advance({ keys: 10_000, shares: 10_000, masked: 55_000, unmask: 20_000 }[phase]);
}

/** Waits for the round's model. Clients learn of the end later, each at its own time. */
async function made({ models, events, taken }: Stage): Promise<void> {
  await expect.poll(() => models.size, { timeout: 60_000 }).toBe(1);
  await expect
    .poll(() => events.filter((event) => event.endsWith(" accepted")).length, { timeout: 60_000 })
    .toBe(taken.masked);
}

const meanOf = (members: readonly number[]): number[] =>
  Array.from(
    { length: LENGTH },
    (_, j) => members.reduce((sum, i) => sum + updateView(i)[j]!, 0) / members.length,
  );
const everyone = Array.from({ length: 10 }, (_, i) => i);
/** Half a quantization step of 2^22 levels over -8..8, plus the model's own rounding. */
const QUANTUM = 8 / 2 ** 22 + 1e-6;

describe("a federation with secure aggregation over HTTP", { timeout: 120_000 }, () => {
  it("produces the plain mean up to quantization, and no message reveals a client's update", async () => {
    const stage = await open({ clients: 10, silentIn: () => undefined });
    await made(stage);
    const expected = meanOf(everyone);
    for (const [j, value] of stage.models.get(1)!.entries())
      expect(Math.abs(value - expected[j]!)).toBeLessThan(QUANTUM);
    expect(stage.federation.plan.protection).toBe("secure-aggregation");
    expect(stage.federation.status().history).toMatchObject([
      { outcome: "aggregated", accepted: 10, selected: 10, totalSamples: 10 },
    ]);
    expect(stage.masked).toHaveLength(10);
    for (const i of everyone)
      expect(stage.events.filter((event) => event === `${i} accepted`)).toHaveLength(1);
    // None of the words sent is a client's quantized update.
    const words = stage.masked.flatMap((body) =>
      Array.from(new Uint32Array(body.slice(-4 * (LENGTH + 1)).buffer)),
    );
    const bare = new Set(
      everyone.flatMap((i) => Array.from(updateView(i), (x) => Math.round((x * 2 ** 22) / 16) >>> 0)),
    );
    expect(words.filter((word) => bare.has(word))).toEqual([]);
  });

  it.each(phases)(
    "C21: produces the model without the 30 % of clients that stop responding in phase %s",
    async (phase) => {
      const silent = [1, 4, 7];
      const stage = await open({ clients: 10, silentIn: (i) => (silent.includes(i) ? phase : undefined) });
      // Earlier phases end by themselves, because all clients respond.
      await pass(stage, { phase, live: 7 });
      await made(stage);
      const accepted = phase === "unmask" ? everyone : everyone.filter((i) => !silent.includes(i));
      const expected = meanOf(accepted);
      for (const [j, value] of stage.models.get(1)!.entries())
        expect(Math.abs(value - expected[j]!)).toBeLessThan(QUANTUM);
      expect(stage.federation.status().history.at(-1)).toMatchObject({
        outcome: "aggregated",
        accepted: accepted.length,
        totalSamples: accepted.length,
      });
    },
  );

  it("abandons a round with too few clients, keeps its model, and retries with new keys", async () => {
    const stage = await open({ clients: 10, silentIn: (i) => (i < 6 ? "masked" : undefined) });
    await pass(stage, { phase: "masked", live: 4 });
    await expect
      .poll(() => stage.federation.status().history.at(-1)?.outcome, { timeout: 60_000 })
      .toBe("abandoned");
    expect(stage.federation.model(0)!.parameters).toEqual(new Float32Array(LENGTH));
    // The new attempt requests new keys from all ten clients, after the delay that follows a failure.
    stage.clock.advance(2000);
    await expect.poll(() => stage.taken.keys, { timeout: 60_000 }).toBeGreaterThan(10);
  });

  it("C22: rejects plain updates, unauthenticated requests, and malformed messages, and produces the same model", async () => {
    const stage = await open({ clients: 5, silentIn: () => undefined });
    const root = `${stage.url}/v1/federations/secret`;
    expect((await fetch(`${root}/secure/keys`, { method: "POST", body: "{}" })).status).toBe(401);
    const grant = (await (
      await fetch(`${root}/sessions`, {
        method: "POST",
        body: JSON.stringify({ protocol: 1, device: "late", numSamples: 3 }),
      })
    ).json()) as { token: string };
    const headers = { authorization: `Bearer ${grant.token}` };
    const put = await fetch(`${root}/rounds/1/update`, {
      method: "PUT",
      headers: { ...headers, "content-type": UPDATE_TYPE, "content-range": "bytes 0-3/4" },
      body: new Uint8Array(4),
    });
    expect(put.status).toBe(409);
    expect((await fetch(`${root}/secure/nothing`, { method: "POST", headers, body: "{}" })).status).toBe(404);
    expect((await fetch(`${root}/secure/shares`, { method: "POST", headers, body: "no json" })).status).toBe(
      400,
    );
    expect(
      (await fetch(`${root}/secure/shares`, { method: "POST", headers, body: new Uint8Array(200_000) }))
        .status,
    ).toBe(413);
    await made(stage);
    const expected = meanOf([0, 1, 2, 3, 4]);
    for (const [j, value] of stage.models.get(1)!.entries())
      expect(Math.abs(value - expected[j]!)).toBeLessThan(QUANTUM);
  });

  it("adds noise to the unmasked mean and reports epsilon in the status if the aggregator is private", async () => {
    const { aggregator, privacy } = privateAggregator(select(aggregation, { method: "FedAvg" }), {
      clipNorm: 5,
      noiseMultiplier: 1,
      delta: 1e-5,
    });
    const stage = await open({
      clients: 4,
      silentIn: () => undefined,
      options: { aggregator, privacy: { differential: privacy }, limits: { clipNorm: 5 } },
    });
    await made(stage);
    const expected = meanOf([0, 1, 2, 3]);
    expect(Array.from(stage.models.get(1)!).some((value, j) => Math.abs(value - expected[j]!) > 0.01)).toBe(
      true,
    );
    expect(stage.federation.status().privacy!.epsilon).toBeGreaterThan(1);
  });

  it("rejects options that need more than a sum", () => {
    const options: FederationOptions = {
      name: "secret",
      model: { layout: [{ name: "weight", shape: [LENGTH] }] },
      aggregator: select(aggregation, { method: "FedAvg" }),
      rounds: { participants: 5 },
      privacy: { secureAggregation: {} },
    };
    expect(() =>
      createFederation(
        mergeFederationOptions(options, { aggregator: select(aggregation, { method: "Median" }) }),
      ),
    ).toThrow(TypeError);
    expect(() =>
      createFederation(mergeFederationOptions(options, { uploads: { encoding: "int8" } })),
    ).toThrow(TypeError);
    expect(() =>
      createFederation(
        mergeFederationOptions(options, {
          rounds: { participants: 5, buffered: { bufferSize: 3, maxStaleness: 1, concurrency: 5 } },
        }),
      ),
    ).toThrow(TypeError);
  });
});
