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

// A federation whose aggregator sees sums only: clients, HTTP and engine as they are. Time goes on when a
// test says so, so that a slow machine drops nobody.

const LENGTH = 4;
const phases: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
}, 60_000);

/** What client `i` adds to every model. */
const updateView = (i: number): Float32Array =>
  Float32Array.from({ length: LENGTH }, (_, j) => Math.sin(3 * i + j));

/** An estimator that learns one thing: to add its change. */
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
  /** Answers that the aggregator has taken, by phase. */
  readonly taken: Record<SecurePhase, number>;
  /** Everything that went over the wire as masked vectors. */
  readonly masked: Uint8Array[];
  /** What the clients tell: "3 accepted". */
  readonly events: readonly string[];
  readonly url: string;
}

/** Opens a federation, and lets clients in that fall silent in a phase. */
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
        // Gone without a word, as a device is whose battery is empty.
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

/** Waits until so many answers of a phase are there, and lets the phase's time go by. */
async function pass(
  { clock, taken }: Stage,
  { phase, live }: { readonly phase: SecurePhase; readonly live: number },
): Promise<void> {
  await expect.poll(() => taken[phase], { timeout: 60_000 }).toBe(live);
  clock.advance({ keys: 10_000, shares: 10_000, masked: 55_000, unmask: 20_000 }[phase]);
}

/** Waits for the round's model. Clients hear of the end later, each in its time. */
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
/** Half a step of 2^22 levels over -8..8, and the model's own rounding. */
const QUANTUM = 8 / 2 ** 22 + 1e-6;

describe("a federation that sums in secret, over HTTP", { timeout: 120_000 }, () => {
  it("makes the model of the plain mean, to quantization, and no body tells a client's change", async () => {
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
      expect(stage.events.filter((event) => event === `${i} counted`)).toHaveLength(1);
    // Among all words that travelled none is the quantised change of anyone.
    const words = stage.masked.flatMap((body) =>
      Array.from(new Uint32Array(body.slice(-4 * (LENGTH + 1)).buffer)),
    );
    const bare = new Set(
      everyone.flatMap((i) => Array.from(updateView(i), (x) => Math.round((x * 2 ** 22) / 16) >>> 0)),
    );
    expect(words.filter((word) => bare.has(word))).toEqual([]);
  });

  it.each(phases)("C21: makes it without the 30 % that fall silent in phase %s", async (phase) => {
    const silent = [1, 4, 7];
    const stage = await open({ clients: 10, silentIn: (i) => (silent.includes(i) ? phase : undefined) });
    // Those before it end by themselves: everyone answers.
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
  });

  it("abandons a round of too few, keeps its model, and makes the next one with new keys", async () => {
    const stage = await open({ clients: 10, silentIn: (i) => (i < 6 ? "masked" : undefined) });
    await pass(stage, { phase: "masked", live: 4 });
    await expect
      .poll(() => stage.federation.status().history.at(-1)?.outcome, { timeout: 60_000 })
      .toBe("abandoned");
    expect(stage.federation.model(0)!.parameters).toEqual(new Float32Array(LENGTH));
    // All ten are asked again, for keys of the new try, after the pause that follows a failure.
    stage.clock.advance(2000);
    await expect.poll(() => stage.taken.keys, { timeout: 60_000 }).toBeGreaterThan(10);
  });

  it("C22: refuses updates in the open, answers of strangers and malformed ones, and makes the same model", async () => {
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

  it("is private towards the world too, where the rule is: noise on the opened mean, and epsilon in the status", async () => {
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

  it("is refused where a sum is not enough", () => {
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
