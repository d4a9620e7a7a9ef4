import { mergeFederationOptions } from "../fakes/merge-federation-options.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  controlSocket,
  createCloud,
  createFederation,
  directoryFederationLog,
  enrolledSessions,
  enrollmentService,
  federationService,
  memoryDeviceRegistry,
  anonymousSessions,
  serve,
  type Federation,
  type FederationOptions,
  type Serving,
  type Sessions,
} from "../../packages/cloud/src/index.ts";
import {
  aggregation,
  createFederatedLearning,
  SednaError,
  select,
  type FederatedEvent,
  type FederatedLearning,
} from "../../packages/core/src/index.ts";
import { s3Weights } from "../../packages/core/src/adapters/s3/s3-weights.ts";
import type { WeightStore } from "../../packages/core/src/weight-store/weight-store.ts";
import {
  deviceIdentity,
  enrollDevice,
  federationTransport,
  headEstimator,
  labeledSamples,
  type FederationTransportOptions,
  type HeadEstimator,
} from "../../packages/edge-agent/src/index.ts";
import { startS3Server } from "../servers/s3-server.ts";

// The whole system: heads that train, transports over real sockets, a cloud that listens, and an aggregator
// with its log.

const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of running.splice(0).toReversed()) await end();
});

const head = { kind: "softmax", features: 2, classes: 2 } as const;
/** Points left and right of a line. Each client has mostly points of one side. */
const samples = (client: number) =>
  labeledSamples(
    Array.from({ length: 40 }, (_, i) => {
      const label = i % 10 < 8 ? client % 2 : 1 - (client % 2);
      return { sample: Float32Array.of(label * 2 - 1 + Math.sin(i + client), Math.cos(7 * i)), label };
    }),
    { version: `points-${client}` },
  );
const options = (more: Partial<FederationOptions> = {}): FederationOptions =>
  mergeFederationOptions(
    {
      name: "points",
      model: { head, training: { epochs: 2, batchSize: 8, optimizer: { kind: "sgd", learningRate: 0.5 } } },
      aggregator: select(aggregation, { method: "FedAvg", param: {} }),
      rounds: { participants: 3, overSelect: 1, numRounds: 4, selectionMs: 2000, deadlineMs: 20_000 },
      uploads: { encoding: "int8" },
      runtime: { seed: 1 },
    },
    more,
  );

async function listen({
  sessions,
  more = {},
  port = 0,
  registrySessions,
  weightStore,
}: {
  readonly weightStore?: WeightStore;
  readonly sessions: Sessions;
  readonly more?: Partial<FederationOptions>;
  readonly port?: number;
  readonly registrySessions?: ReturnType<typeof enrolledSessions>;
}): Promise<{ federation: Federation; serving: Serving }> {
  const federation = createFederation(options(more));
  const cloud = createCloud({
    services: [
      ...(registrySessions
        ? [enrollmentService({ sessions: registrySessions, federations: ["points"] })]
        : []),
      federationService({
        federations: [federation],
        sessions,
        sockets: [controlSocket({ federations: [federation], sessions })],
        ...(weightStore && { weightStore }),
      }),
    ],
    token: "the-clouds-own",
  });
  await cloud.start();
  const serving = await serve(cloud, { port });
  running.push(() => serving.close());
  return { federation, serving };
}

function client(
  url: string,
  {
    number,
    ...more
  }: { readonly number: number } & Partial<FederationTransportOptions> & { readonly device?: string },
): { estimator: HeadEstimator<Float32Array>; learning: FederatedLearning<Float32Array> } {
  const estimator = headEstimator<Float32Array>({ features: "samples", head });
  const { device = `device-${number}`, ...transport } = more;
  const learning = createFederatedLearning({
    estimator,
    transport: federationTransport({ url, name: "points", baseMs: 50, capMs: 500, ...transport }),
    device,
    baseMs: 50,
    capMs: 500,
  });
  running.push(async () => {
    await learning.dispose();
    await estimator.dispose();
  });
  return { estimator, learning };
}

async function follow(
  learning: FederatedLearning<Float32Array>,
  number: number,
  see: (event: FederatedEvent) => void | Promise<void> = () => {},
): Promise<FederatedEvent[]> {
  const events: FederatedEvent[] = [];
  for await (const event of learning.run(samples(number))) {
    events.push(event);
    await see(event);
  }
  return events;
}
const flat = async (estimator: HeadEstimator<Float32Array>): Promise<number[]> =>
  (await estimator.getWeights()).flatMap(({ data }) => [...(data as Float32Array)]);

describe("a federation end to end", { timeout: 60_000 }, () => {
  it("trains with weights transferred through S3 and no weights over its own HTTP", async () => {
    const server = await startS3Server();
    running.push(() => server.close());
    const store = () =>
      s3Weights({
        endpoint: server.url,
        aggDataPath: "s3://weights/jobs",
        accessKeyId: "tester",
        secretAccessKey: "secret/with+signs",
      });
    // The aggregator's failure to read the store is not the clients' fault: they retry.
    let refusals = 2;
    const own = store();
    const troubled: WeightStore = {
      ...own,
      get: (key, wanted) =>
        refusals-- > 0
          ? Promise.reject(
              new SednaError("get it: expected the right key; got 403", { code: "cloud-refused" }),
            )
          : own.get(key, wanted),
    };
    const { federation, serving } = await listen({ sessions: anonymousSessions(), weightStore: troubled });
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      asked.push(`${init?.method} ${String(new Headers(init?.headers).get("content-type"))}`);
      return globalThis.fetch(input, init);
    };
    const clients = [0, 1, 2].map((number) =>
      client(serving.url, { number, weightStore: store(), fetch, control: "poll" }),
    );
    const all = await Promise.all(clients.map(({ learning }, number) => follow(learning, number)));
    for (const events of all) expect(events.filter(({ type }) => type === "accepted").length).toBe(4);
    expect(await flat(clients[0]!.estimator)).toEqual([...federation.model(4)!.parameters]);
    expect(asked.filter((one) => one.startsWith("PUT") && !one.includes("update-ref"))).toEqual([]);
    await expect
      .poll(() => [...server.objects.keys()].filter((key) => key.includes("/updates/")))
      .toEqual([]);
    await expect.poll(() => [...server.objects.keys()]).toContain("/weights/jobs/points/models/4");
    expect(
      server.log.filter((line) => line.startsWith("PUT /weights/jobs/points/updates/")).length,
    ).toBeGreaterThanOrEqual(12);
  });

  it("trains three devices' heads into one, over sockets and by polling, and all end with the same model", async () => {
    const { federation, serving } = await listen({ sessions: anonymousSessions() });
    const clients = [0, 1, 2].map((number) =>
      client(serving.url, { number, control: number === 2 ? "poll" : "socket" }),
    );
    const all = await Promise.all(clients.map(({ learning }, number) => follow(learning, number)));
    for (const [i, events] of all.entries()) {
      expect(events.at(-1), `client ${i}`).toMatchObject({ type: "done", modelVersion: 4 });
      expect(events.filter(({ type }) => type === "accepted").length, `client ${i}`).toBe(4);
      expect(events.filter(({ type }) => type === "retrying")).toEqual([]);
      expect(await flat(clients[i]!.estimator)).toEqual([...federation.model(4)!.parameters]);
    }
    expect(
      federation.status().history.map(({ accepted, totalSamples }) => ({ accepted, totalSamples })),
    ).toEqual(Array.from({ length: 4 }, () => ({ accepted: 3, totalSamples: 120 })));
    const { accuracy } = await clients[0]!.estimator.evaluate(samples(1));
    expect(accuracy).toBeGreaterThan(0.8);
  });

  it("C20: resumes the same round when the aggregator restarts in the middle of it, and trains no round twice", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sedna-federation-"));
    running.push(() => rm(folder, { recursive: true }));
    const more = (): Partial<FederationOptions> => ({
      storage: { log: directoryFederationLog(folder) },
      rounds: {
        participants: 3,
        overSelect: 1,
        minFraction: 0.5,
        numRounds: 4,
        selectionMs: 300,
        deadlineMs: 20_000,
      },
    });
    const first = await listen({ sessions: anonymousSessions(), more: more() });
    const port = Number(new URL(first.serving.url).port);
    const clients = [0, 1].map((number) =>
      client(first.serving.url, { number, control: number === 1 ? "poll" : "socket" }),
    );
    // The third client joins only after the aggregator has restarted.
    let accepted = 0;
    let twoCounted = (): void => {};
    const both = new Promise<void>((resolve) => (twoCounted = resolve));
    const see = (event: FederatedEvent): void => {
      if (event.type === "accepted" && ++accepted === 2) twoCounted();
    };
    const following = clients.map(({ learning }, number) => follow(learning, number, see));
    await both;
    await first.serving.close();
    const second = await listen({ sessions: anonymousSessions(), more: more(), port });
    const third = client(second.serving.url, { number: 2 });
    const all = await Promise.all([...following, follow(third.learning, 2)]);
    for (const events of all) expect(events.at(-1)).toMatchObject({ type: "done", modelVersion: 4 });
    expect(
      all[0]!.filter(({ type }) => type === "joined").length,
      "sessions from before the restart have ended",
    ).toBeGreaterThan(1);
    const trainedRounds = all[0]!.filter((event) => event.type === "trained").map((event) => event.round);
    expect(new Set(trainedRounds).size, "each round is trained once").toBe(trainedRounds.length);
    expect(second.federation.status().history.length).toBe(4);
    expect(await flat(third.estimator)).toEqual([...second.federation.model(4)!.parameters]);
  });

  it("B7: accepts only enrolled devices, also if a device's clock is wrong", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sedna-keys-"));
    running.push(() => rm(folder, { recursive: true }));
    const sessions = enrolledSessions({
      audience: "points",
      registry: memoryDeviceRegistry(),
      enrollmentTokens: ["let-me-in"],
      secret: "s".repeat(32),
    });
    const { serving } = await listen({
      sessions,
      registrySessions: sessions,
      more: { rounds: { participants: 1, numRounds: 1, selectionMs: 500, deadlineMs: 20_000 } },
    });
    const identity = await deviceIdentity({ directory: folder });
    await expect(
      enrollDevice({ url: serving.url, name: "points", identity, token: "wrong" }),
    ).rejects.toMatchObject({ code: "cloud-refused", message: expect.stringContaining("enrollment token") });
    await expect(
      follow(client(serving.url, { number: 0, identity, device: identity.device }).learning, 0),
    ).rejects.toMatchObject({ code: "cloud-refused", message: expect.stringContaining("enrolled") });
    // A device whose clock is one hour slow learns the server's time.
    const now = (): number => Date.now() - 3_600_000;
    expect(
      await enrollDevice({
        url: serving.url,
        name: "points",
        identity,
        token: "let-me-in",
        label: "gate",
        now,
      }),
    ).toMatchObject({ device: identity.device });
    await expect(
      follow(client(serving.url, { number: 0, device: identity.device }).learning, 0),
    ).rejects.toMatchObject({ code: "cloud-refused", message: expect.stringContaining("proof") });
    const events = await follow(
      client(serving.url, { number: 0, identity, now, device: identity.device }).learning,
      0,
    );
    expect(events.at(-1)).toMatchObject({ type: "done" });
    await sessions.revoke(identity.device);
    await expect(
      follow(client(serving.url, { number: 0, identity, device: identity.device }).learning, 0),
    ).rejects.toMatchObject({ code: "cloud-refused", message: expect.stringContaining("revoked") });
  });
});
