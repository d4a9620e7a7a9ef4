import { createUpdateEncoder, type EncodedUpdate } from "@sedna-js/core/update-codec";
import { UPDATE_TYPE, type FederationTask, type SessionGrant } from "@sedna-js/core/wire";
import { seededRandom } from "@sedna-js/wasm-kernels";
import type { TrainingKernels } from "@sedna-js/wasm-kernels";
import { maliciousUpdates } from "./malicious-updates.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import type { SampleSet } from "./simulation-data.ts";

/** State and functions that all clients share. */
export interface SimulatedWorld {
  readonly time: SimulatedTime;
  /** The cloud, as a function. */
  readonly ask: (request: Request) => Promise<Response>;
  /** URL of the federation. */
  readonly url: string;
  readonly kernels: TrainingKernels;
  readonly deadlineMs: number;
  /** Share of all turns in which a client silently drops out. */
  readonly dropouts: number;
  readonly stragglers: number;
  /**
   * Called with the outcome of a client's turn, and awaited, so that its consequences happen before anything
   * else.
   */
  readonly onTurn: (outcome: TurnOutcome) => Promise<void>;
}

/** Outcome of a client's turn in a round. */
export interface TurnOutcome {
  readonly client: string;
  readonly kind: "accepted" | "dropped" | "late" | "rejected";
}

/** A client's name, samples, seed, and attack, if it attacks. */
export interface SimulatedClientOptions {
  readonly name: string;
  readonly data: SampleSet;
  readonly seed: number;
  readonly attack?: keyof typeof maliciousUpdates | undefined;
}

type TrainTask = Extract<FederationTask, { kind: "train" }>;

/**
 * Rejections because the round continued without the client. All other rejections are faults of the update.
 */
const LATE = new Set(["wrong-round", "round-closed", "not-selected"]);

/**
 * Starts a client that joins, polls for its task, fetches the model, trains on its own samples, and sends its
 * update, over the federation's own routes. At random it silently drops out or takes longer than the round.
 */
export function startSimulatedClient(
  world: SimulatedWorld,
  { name, data, seed, attack }: SimulatedClientOptions,
): void {
  const { time, ask, url, kernels, deadlineMs, dropouts, stragglers } = world;
  const random = seededRandom({ seed, stream: 2 });
  let grant: SessionGrant | undefined;
  let encode: ReturnType<typeof createUpdateEncoder>["encode"] | undefined;
  let last: Uint8Array<ArrayBuffer> | undefined;
  let turns = 0;

  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    ask(
      new Request(`${url}${path}`, {
        ...init,
        headers: { ...(grant && { authorization: `Bearer ${grant.token}` }), ...init.headers },
      }),
    );
  const later = (ms: number, work: () => Promise<void>): void => time.at(time.now() + ms, work);

  const join = async (): Promise<void> => {
    const numSamples = data.labels.length;
    const response = await call("/sessions", {
      method: "POST",
      body: JSON.stringify({ protocol: 1, device: name, numSamples }),
      headers: { "content-type": "application/json" },
    });
    if (response.status !== 201) return later(1000 * Number(response.headers.get("retry-after") ?? 5), join);
    grant = (await response.json()) as SessionGrant;
    const { plan } = grant;
    encode ??= createUpdateEncoder({
      plan,
      length: (data.samples.length / numSamples + 1) * (plan.head?.classes ?? 0),
    }).encode;
    await poll();
  };

  const poll = async (): Promise<void> => {
    const response = await call("/task");
    if (response.status === 401) return join();
    if (!response.ok) return later(5000 * (0.5 + random()), poll);
    const task = (await response.json()) as FederationTask;
    if (task.kind === "wait") return later(task.retryAfterMs, poll);
    if (task.kind === "train")
      return task.accepted ? later(Math.min(5000, task.remainingMs + 1), poll) : begin(task);
  };

  const begin = async (task: TrainTask): Promise<void> => {
    const response = await call(`/models/${task.modelVersion}`);
    if (!response.ok) return later(1000, poll);
    const model = new Float32Array(await response.arrayBuffer());
    const fate = random();
    if (fate < dropouts) {
      // Like a closed tab: the client sends nothing and joins again later.
      await world.onTurn({ client: name, kind: "dropped" });
      return later(deadlineMs * (0.5 + 1.5 * random()), join);
    }
    const isSlow = fate < dropouts + stragglers;
    later(
      isSlow ? task.remainingMs + 1 + deadlineMs * random() : task.remainingMs * (0.05 + 0.6 * random()),
      () => send(task, model),
    );
  };

  const send = async (task: TrainTask, model: Float32Array): Promise<void> => {
    const { message, commit } = train(task, model);
    const response = await call(`/rounds/${task.round}/update`, {
      method: "PUT",
      body: message,
      headers: { "content-type": UPDATE_TYPE, "content-length": String(message.length) },
    });
    last = message;
    if (response.ok) commit();
    if (response.status === 401) return join();
    if (response.status === 429 || response.status === 503) return later(1000, () => send(task, model));
    const { code = "" } = (await response.json()) as { readonly code?: string };
    await world.onTurn({
      client: name,
      kind: response.ok ? "accepted" : LATE.has(code) ? "late" : "rejected",
    });
    later(1000 * random(), poll);
  };

  const train = ({ round, modelVersion }: TrainTask, model: Float32Array): EncodedUpdate => {
    const { training, head, encoding, maxUpdateBytes, maxNumSamples } = grant!.plan;
    const { epochs, ...options } = training;
    const trainer = kernels.headTrainer({
      ...options,
      head: head!,
      ...data,
      weights: model,
      seed: (seed + turns++) >>> 0,
    });
    try {
      let result = { loss: 0, accuracy: 0 };
      for (let epoch = 0; epoch < epochs; epoch++) result = trainer.epoch();
      const change = trainer.weights();
      for (let i = 0; i < change.length; i++) change[i]! -= model[i]!;
      const facts = {
        round,
        modelVersion,
        numSamples: Math.min(data.labels.length, maxNumSamples),
        metrics: { loss: result.loss, accuracy: result.accuracy },
      };
      if (attack === undefined) return encode!(change, facts);
      return {
        message: maliciousUpdates[attack]({
          change,
          facts,
          encode: encode!,
          encoding,
          last,
          maxBytes: maxUpdateBytes,
        }),
        commit() {},
      };
    } finally {
      trainer.dispose();
    }
  };

  later(1000 * random(), join);
}
