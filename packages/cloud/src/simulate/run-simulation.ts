import type { Aggregator, TrainingPlan } from "@sedna-js/core";
import { roundSettings, type RoundSettings } from "@sedna-js/core/federation";
import { seededRandom } from "@sedna-js/wasm-kernels";
import { loadTrainingKernels, type UpdateEncoding } from "@sedna-js/wasm-kernels";
import { createFederation } from "../federation/create-federation.ts";
import { federationService } from "../federation/federation-service.ts";
import type { Sessions } from "../federation/sessions/sessions.ts";
import { createCloud } from "../http/create-cloud.ts";
import { maliciousUpdates } from "./malicious-updates.ts";
import { startSimulatedClient, type TurnOutcome } from "./simulated-client.ts";
import { createSimulatedTime } from "./simulated-time.ts";
import type { SampleSet, SimulationData } from "./simulation-data.ts";

/** Options of {@link runSimulation}. */
export interface SimulationOptions {
  readonly data: SimulationData;
  readonly aggregator: Aggregator;
  readonly rounds: Partial<RoundSettings>;
  readonly training?: TrainingPlan;
  readonly encoding?: UpdateEncoding;
  readonly topkShare?: number;
  readonly clipNorm?: number;
  /** Share of all turns in which a client silently drops out. */
  readonly dropouts: number;
  /** Share of all turns in which a client takes longer than the round. */
  readonly stragglers: number;
  /** Share of the clients that attack. They use the attacks of {@link maliciousUpdates} in turn. */
  readonly malicious: number;
  readonly seed: number;
  /** Called with each round as it closes. */
  readonly onRound: (round: SimulatedRound) => void;
}

/** Summary of a closed round. */
export interface SimulatedRound {
  readonly round: number;
  readonly outcome: "aggregated" | "abandoned";
  readonly selected: number;
  readonly accepted: number;
  /** Clients that silently dropped out. */
  readonly dropped: number;
  /** Updates that arrived after the round closed. */
  readonly late: number;
  /** Updates rejected for other reasons, such as malformed ones. */
  readonly rejected: number;
  /** Loss of the round's model on samples that no client trained on. */
  readonly loss: number;
  readonly accuracy: number;
  /** Simulated time from the round's opening to its close, in s. */
  readonly seconds: number;
  readonly bytes: number;
}

/** Result of a simulation. */
export interface SimulationResult {
  readonly rounds: readonly SimulatedRound[];
  readonly clients: number;
  readonly quarantined: number;
  /** Simulated time, in s. */
  readonly seconds: number;
  readonly model: Float32Array;
}

/** Start of the simulated clock. Any time works. */
const START = Date.UTC(2026, 0, 1);
const MAX_ROUNDS_WITHOUT_MODEL = 20;

/**
 * Runs a whole federation in one process: the real engine, log, and routes, with clients that train, on a
 * simulated clock. One thing happens at a time, so that the same options give the same run.
 *
 * Ends after the last round, or after {@link MAX_ROUNDS_WITHOUT_MODEL} abandoned attempts in a row.
 */
export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const {
    data,
    aggregator,
    rounds: settings,
    training,
    encoding,
    topkShare,
    clipNorm,
    dropouts,
    stragglers,
    malicious,
    seed,
    onRound,
  } = options;
  const time = createSimulatedTime({ start: START });
  const kernels = await loadTrainingKernels();
  const { now } = time;
  // The effects of an engine timer complete before time advances.
  const timers = {
    ...time.timers,
    set: (callback: () => void, ms: number) => time.timers.set(() => (callback(), settle()), ms),
  };
  const federation = createFederation({
    name: "simulation",
    model: {
      head: { kind: "softmax", features: data.features, classes: data.classes },
      training,
    },
    aggregator,
    rounds: settings,
    runtime: { seed, now, timers, random: seededRandom({ seed, stream: 3 }) },
    uploads: { ...(encoding && { encoding }), topkShare },
    limits: { clipNorm },
  });
  const cloud = createCloud({
    services: [federationService({ federations: [federation], sessions: simulatedSessions() })],
  });
  await cloud.start();

  const closed: SimulatedRound[] = [];
  let seen = { dropped: 0, late: 0, rejected: 0 };
  let isDone = false;
  let wake = (): void => {};
  federation.onRound(({ round, outcome, modelVersion, done }) => {
    const { selected, accepted, durationMs, bytes } = federation.status().history.at(-1)!;
    const row = {
      round,
      outcome,
      selected,
      accepted,
      ...seen,
      ...evaluateSoftmax(federation.model(modelVersion)!.parameters, data.test),
      seconds: durationMs / 1000,
      bytes,
    };
    closed.push(row);
    seen = { dropped: 0, late: 0, rejected: 0 };
    isDone =
      done ||
      closed.slice(-MAX_ROUNDS_WITHOUT_MODEL).filter((one) => one.outcome === "abandoned").length ===
        MAX_ROUNDS_WITHOUT_MODEL;
    onRound(row);
    wake();
  });

  /** Resolves when no round is being closed. Simulated time stands still until then. */
  const settle = async (): Promise<void> => {
    while (federation.stats().closing) await new Promise<void>((resolve) => (wake = resolve));
  };
  const onTurn = async ({ kind }: TurnOutcome): Promise<void> => {
    if (kind === "accepted") await settle();
    else seen = { ...seen, [kind]: seen[kind] + 1 };
  };
  const world = {
    time,
    ask: cloud,
    url: "http://simulation/v1/federations/simulation",
    kernels,
    deadlineMs: roundSettings(settings).deadlineMs,
    dropouts,
    stragglers,
    onTurn,
  };
  const attacks = Object.keys(maliciousUpdates) as (keyof typeof maliciousUpdates)[];
  const attackers = Math.round(malicious * data.parts.length);
  for (const [i, part] of data.parts.entries()) {
    startSimulatedClient(world, {
      name: `client-${i}`,
      data: part,
      seed: (seed * 1_000_003 + i) >>> 0,
      attack: i < attackers ? attacks[i % attacks.length] : undefined,
    });
  }
  await time.run(() => isDone);
  const model = federation.model(federation.status().modelVersion)!.parameters;
  const quarantined = federation.status().clients.filter(({ state }) => state === "quarantined").length;
  await cloud.drain();
  kernels.dispose();
  return { rounds: closed, clients: data.parts.length, quarantined, seconds: (now() - START) / 1000, model };
}

/** Quality of a softmax head. */
interface SoftmaxEvaluation {
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of the samples whose class got the highest probability. */
  readonly accuracy: number;
}

/**
 * Evaluates the flat parameters of a softmax head, `[classes, features]` weights and then biases, on samples
 * that no client trained on.
 */
export function evaluateSoftmax(model: Float32Array, { samples, labels }: SampleSet): SoftmaxEvaluation {
  const features = samples.length / labels.length;
  const classes = model.length / (features + 1);
  const logits = new Float64Array(classes);
  let loss = 0;
  let right = 0;
  for (const [row, label] of labels.entries()) {
    let best = 0;
    for (let k = 0; k < classes; k++) {
      let sum = model[classes * features + k]!;
      for (let j = 0; j < features; j++) sum += model[k * features + j]! * samples[row * features + j]!;
      logits[k] = sum;
      if (sum > logits[best]!) best = k;
    }
    const most = logits[best]!;
    loss +=
      most + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - most), 0)) - logits[label]!;
    if (best === label) right++;
  }
  return { loss: loss / labels.length, accuracy: right / labels.length };
}

/**
 * Creates sessions whose tokens are not secret, because no client outside the process can use them. A newer
 * session of a device replaces the older one, as in all session implementations.
 */
function simulatedSessions(): Sessions {
  const epochs = new Map<string, number>();
  return {
    grant: async ({ device }) => {
      const epoch = (epochs.get(device) ?? 0) + 1;
      epochs.set(device, epoch);
      return { client: device, epoch, token: `${device}.${epoch}`, expiresIn: 600 };
    },
    verify: async (token) => {
      const [client = "", number] = token.split(".");
      const epoch = Number(number);
      if (epochs.get(client) === epoch) return { client, epoch };
      return {
        rejected: "session-replaced",
        error: "expected the latest session of this device; a newer one has started",
      };
    },
    end: () => {},
  };
}
