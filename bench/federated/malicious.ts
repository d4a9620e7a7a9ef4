import { mergeFederationOptions } from "../../testing/fakes/merge-federation-options.ts";
import { createFederation, type Federation, type Member } from "@sedna-js/cloud";
import { aggregation, type Aggregator } from "@sedna-js/core";
import { createUpdateEncoder } from "@sedna-js/core/update-codec";
import { writeUpdateMessage, type RejectionCode } from "@sedna-js/core/wire";
import { loadTrainingKernels, seededRandom, type TrainingKernels } from "@sedna-js/wasm-kernels";
import { manualClock } from "../../testing/fakes/manual-clock.ts";
import { accuracyOf, digitsHead, federatedDigits, type FederatedDigits } from "./digits.ts";
import { median, type Figure } from "../result.ts";

// 50 clients with digits, ten of them hostile, with the engine of a served federation: the same checks,
// strikes, and quarantine. The differences: bytes come from memory, and time advances when all clients have
// sent.

const [CLIENTS, ALPHA, ROUNDS, SEED] = [50, 1, 15, 11];
/** Epochs that a client trains per round. */
const EPOCHS = 2;
const optimizer = { kind: "sgd", learningRate: 0.5 } as const;
/**
 * Norm to clip to: about the norm of an honest update in the first round. Later updates have smaller norms.
 */
const MAX_NORM = 3;
const DEADLINE_MS = 60_000;

/** The changes that a hostile client makes to the honest update. */
type Attack =
  | "sign flip"
  | "times -10"
  | "NaN"
  | "wrong shape"
  | "num_samples of 1e12"
  | "replay"
  | "oversize";

/**
 * The groups of hostile clients: one with all attacks, and one with the strongest well-formed attacks only.
 */
const casts: Readonly<Record<string, readonly Attack[]>> = {
  "of all kinds": [
    "sign flip",
    "sign flip",
    "times -10",
    "times -10",
    "times -10",
    "NaN",
    "wrong shape",
    "num_samples of 1e12",
    "replay",
    "oversize",
  ],
  "all well-formed": [
    "sign flip",
    "sign flip",
    "sign flip",
    "sign flip",
    "sign flip",
    "times -10",
    "times -10",
    "times -10",
    "times -10",
    "times -10",
  ],
};

/** One run of a federation. */
export interface MaliciousRun {
  readonly name: string;
  /** Accuracy on held-out digits after each round. */
  readonly accuracy: readonly number[];
  readonly model: Float32Array;
  /** Number of rejected updates by code. */
  readonly refusals: Readonly<Partial<Record<RejectionCode, number>>>;
  /** Norms of the honest updates of the first round. */
  readonly norms: readonly number[];
}

interface RunOptions {
  readonly name: string;
  readonly kernels: TrainingKernels;
  readonly digits: FederatedDigits;
  readonly aggregator: Aggregator;
  readonly clipNorm?: number;
  /** Attacks of the first clients. A "silent" client is selected and never sends. */
  readonly attacks: readonly (Attack | "silent")[];
}

/** Yields bytes as one chunk. */
async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Runs a federation to its end. */
export async function runMalicious({
  name,
  kernels,
  digits,
  aggregator,
  clipNorm,
  attacks,
}: RunOptions): Promise<MaliciousRun> {
  const clock = manualClock();
  const federation = createFederation(
    mergeFederationOptions(
      {
        name: "digits",
        model: { head: digitsHead },
        aggregator,
        rounds: { numRounds: ROUNDS, participants: CLIENTS, overSelect: 1, deadlineMs: DEADLINE_MS },
        runtime: {
          seed: SEED,
          random: seededRandom({ seed: SEED, stream: 9 }),
          now: clock.now,
          timers: clock.timers,
        },
        limits: { absentMs: 10 * DEADLINE_MS },
      },
      clipNorm === undefined ? {} : { limits: { clipNorm } },
    ),
  );
  await federation.start();
  const clients = digits.shares.map((share, i) => {
    const member: Member = { client: `client-${i}`, epoch: 1 };
    federation.join({ ...member, kind: "sedna-js", numSamples: share.labels.length, resources: {} });
    const trainer = kernels.headTrainer({ head: digitsHead, ...share, optimizer, seed: i });
    return {
      member,
      trainer,
      numSamples: share.labels.length,
      attack: attacks[i],
      encoder: createUpdateEncoder({ plan: federation.plan, length: trainer.length }),
      before: undefined as Uint8Array | undefined,
    };
  });
  const judge = kernels.headTrainer({
    head: digitsHead,
    samples: digits.heldOut.samples,
    labels: digits.heldOut.labels,
  });
  const refusals: Partial<Record<RejectionCode, number>> = {};
  const norms: number[] = [];
  const accuracy: number[] = [];
  let model = federation.model(0)!.parameters;
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const closed = roundClosed(federation);
      while (clients.every(({ member }) => federation.task(member).kind !== "train")) clock.advance(1000);
      for (const client of clients) {
        const { member, trainer, attack, encoder, numSamples } = client;
        const task = federation.task(member);
        if (task.kind !== "train" || attack === "silent") continue;
        trainer.setWeights(model);
        for (let epoch = 0; epoch < EPOCHS; epoch++) trainer.epoch();
        const change = trainer.weights().map((weight, i) => weight - model[i]!);
        if (round === 1 && attack === undefined) norms.push(Math.hypot(...change));
        const context = { round: task.round, modelVersion: task.modelVersion, numSamples };
        const honest = (values: Float32Array): Uint8Array => {
          const { message, commit } = encoder.encode(values, context);
          commit();
          return message;
        };
        const message =
          attack === undefined
            ? honest(change)
            : hostile(attack, {
                change,
                honest,
                context,
                before: client.before,
                maxBytes: federation.plan.maxUpdateBytes,
              });
        client.before = message;
        const answer = await federation.receive(member, {
          round: task.round,
          offset: 0,
          total: message.length,
          body: whole(message),
        });
        if ("rejected" in answer) refusals[answer.rejected] = (refusals[answer.rejected] ?? 0) + 1;
        else if (attack === undefined && !answer.accepted)
          throw new Error(`${member.client}: an honest update was not accepted`);
      }
      clock.advance(DEADLINE_MS);
      const { outcome, modelVersion } = await closed;
      if (outcome !== "aggregated") throw new Error(`${name}: round ${round} was abandoned`);
      model = federation.model(modelVersion)!.parameters;
      judge.setWeights(model);
      accuracy.push(accuracyOf(judge, digits.heldOut));
    }
  } finally {
    await federation.close();
    for (const { dispose } of [judge, ...clients.map(({ trainer }) => trainer)]) dispose();
  }
  return { name, accuracy, model, refusals, norms };
}

/** Returns the message of a hostile client. */
function hostile(
  attack: Attack,
  {
    change,
    honest,
    context,
    before,
    maxBytes,
  }: {
    readonly change: Float32Array;
    readonly honest: (values: Float32Array) => Uint8Array;
    readonly context: { readonly round: number; readonly modelVersion: number; readonly numSamples: number };
    readonly before: Uint8Array | undefined;
    readonly maxBytes: number;
  },
): Uint8Array {
  const message = (values: Float32Array, numSamples = context.numSamples): Uint8Array =>
    writeUpdateMessage({
      head: { ...context, numSamples, encoding: "f32", length: values.length },
      payload: new Uint8Array(values.buffer),
    });
  switch (attack) {
    case "sign flip":
      return honest(change.map((x) => -x));
    case "times -10":
      return honest(change.map((x) => -10 * x));
    case "NaN":
      return message(change.map((x, i) => (i === 1000 ? Number.NaN : x)));
    case "wrong shape":
      return message(change.slice(1));
    case "num_samples of 1e12":
      return message(
        change.map((x) => -x),
        1e12,
      );
    case "replay":
      return before ?? honest(change.map((x) => -x));
    case "oversize":
      return new Uint8Array(maxBytes + 1);
    default:
      return attack satisfies never;
  }
}

const roundClosed = (
  federation: Federation,
): Promise<{ readonly outcome: string; readonly modelVersion: number }> =>
  new Promise((resolve) => {
    const stop = federation.onRound((closed) => {
      stop();
      resolve(closed);
    });
  });

/** The results of the whole experiment: the accuracy of each rule under each group of attacks. */
export interface MaliciousResult {
  /** FedAvg with honest clients only. */
  readonly honest: MaliciousRun;
  /** Runs by group of attacks, one for each rule. */
  readonly attacked: Readonly<Record<string, readonly MaliciousRun[]>>;
  /** For the rule of the goal, under all kinds of attacks. */
  readonly malformed: {
    /**
     * Number of parameters that differ from those of the same federation in which the malformed clients never
     * send.
     */
    readonly changed: number;
  };
}

/** A way to aggregate updates. */
interface Defence {
  readonly name: string;
  readonly build: () => Aggregator;
  readonly clipNorm?: number;
}

/**
 * The rules, configured for a federation that expects a fifth of its clients to be hostile. The first one is
 * the rule of the goal.
 */
const defences: readonly Defence[] = [
  {
    name: "clipping and TrimmedMean",
    build: () => aggregation.TrimmedMean({ trim: 0.2 }),
    clipNorm: MAX_NORM,
  },
  { name: "clipping and Median", build: () => aggregation.Median(), clipNorm: MAX_NORM },
  { name: "clipping and MultiKrum", build: () => aggregation.MultiKrum({ f: 10 }), clipNorm: MAX_NORM },
  { name: "clipping alone", build: () => aggregation.FedAvg(), clipNorm: MAX_NORM },
  { name: "no defense but the checks", build: () => aggregation.FedAvg() },
];

/** Runs the federation with honest clients only, then each defense against each group of attacks. */
export async function malicious(): Promise<MaliciousResult> {
  const digits = await federatedDigits({ clients: CLIENTS, alpha: ALPHA, seed: SEED });
  using kernels = await loadTrainingKernels();
  const run = ({ name, build, clipNorm }: Defence, attacks: RunOptions["attacks"]): Promise<MaliciousRun> =>
    runMalicious({
      name,
      kernels,
      digits,
      aggregator: build(),
      attacks,
      clipNorm,
    });

  const honest = await run({ name: "FedAvg, all honest", build: () => aggregation.FedAvg() }, []);
  const attacked: Record<string, MaliciousRun[]> = {};
  for (const [cast, attacks] of Object.entries(casts)) {
    attacked[cast] = [];
    for (const defence of [...defences, trustIn(kernels, digits)])
      attacked[cast].push(await run(defence, attacks));
  }
  const wellFormed: readonly Attack[] = ["sign flip", "times -10"];
  const silenced = await run(
    defences[0]!,
    casts["of all kinds"]!.map((attack) =>
      wellFormed.includes(attack) || attack === "replay" ? attack : "silent",
    ),
  );
  const { model } = attacked["of all kinds"]![0]!;
  const bits = (values: Float32Array): Uint32Array =>
    new Uint32Array(values.buffer, values.byteOffset, values.length);
  const other = bits(silenced.model);
  return {
    honest,
    attacked,
    malformed: { changed: bits(model).filter((word, i) => word !== other[i]).length },
  };
}

/** FLTrust with 100 digits on the server, which trains on them as its clients do. */
function trustIn(kernels: TrainingKernels, { all }: FederatedDigits): Defence {
  const root = {
    samples: all.samples.subarray(0, 100 * digitsHead.features),
    labels: all.labels.subarray(0, 100),
  };
  const rootUpdate = (base: Float32Array): Float32Array => {
    using trainer = kernels.headTrainer({ head: digitsHead, ...root, optimizer, weights: base });
    for (let epoch = 0; epoch < EPOCHS; epoch++) trainer.epoch();
    return trainer.weights().map((weight, i) => weight - base[i]!);
  };
  return { name: "FLTrust, 100 clean digits", build: () => aggregation.FLTrust({ rootUpdate }) };
}

/**
 * Returns the accuracy at the end: the mean of the last three rounds, because it varies by a few tenths of a
 * point.
 */
export const settledAccuracy = ({ accuracy }: MaliciousRun): number =>
  accuracy.slice(-3).reduce((sum, one) => sum + one, 0) / 3;

/**
 * Returns the points that the first defense loses to the worse group of attacks, compared with the federation
 * without hostile clients.
 */
export function pointsLost({ honest, attacked }: MaliciousResult): number {
  return Math.max(
    ...Object.values(attacked).map(([first]) => 100 * (settledAccuracy(honest) - settledAccuracy(first!))),
  );
}

/** Measures the accuracy lost to a fifth of hostile clients. */
export async function benchFederatedMalicious(): Promise<Figure[]> {
  const result = await malicious();
  const name = "federated-malicious";
  const points = (run: MaliciousRun): number => 100 * settledAccuracy(run);
  return [
    { name, metric: result.honest.name, value: points(result.honest), unit: "% right" },
    ...Object.entries(result.attacked).flatMap(([cast, runs]) =>
      runs.map((run): Figure => ({
        name,
        metric: `a fifth hostile, ${cast}: ${run.name}`,
        value: points(run),
        unit: "% right",
      })),
    ),
    {
      name,
      metric: "points lost by clipping and TrimmedMean, the worse of both",
      value: pointsLost(result),
      unit: "points",
    },
    {
      name,
      metric: "parameters that malformed updates changed",
      value: result.malformed.changed,
      unit: "of 1970",
    },
    {
      name,
      metric: "updates rejected, of all kinds",
      value: Object.values(result.attacked["of all kinds"]![0]!.refusals).reduce((sum, one) => sum + one, 0),
      unit: "updates",
    },
    {
      name,
      metric: "norm of an honest update in the first round",
      value: median(result.honest.norms),
      unit: "",
    },
  ];
}
