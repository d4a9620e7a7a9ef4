import type { SecurePhase } from "../wire/federation.ts";
import { readSecureResponse, writeSecureResponse } from "../wire/secure-answer.ts";
import type { SecureAnswer, SecureSettings } from "../wire/secure-aggregation.ts";
import type { SecureClientOptions } from "./answer-secure-phase.ts";
import { createSecureClient, type SecureClient } from "./create-secure-client.ts";
import { createSecureRound, type SecureRound } from "./create-secure-round.ts";
import { levelsFor, quantize, weightOf } from "./quantize.ts";

// Shared by the tests of secure aggregation: whole rounds in which every message is encoded and decoded as on
// a network.

/** A client in a test, and the phase from which it is absent. */
export interface TestClient {
  readonly name: string;
  readonly change: Float32Array;
  readonly numSamples: number;
  readonly gone?: SecurePhase;
  readonly client: SecureClient;
}

/** Changes that a test makes to a round. */
export interface TestRound {
  readonly clients: number;
  readonly length?: number;
  /** Returns the phase from which a client is absent. */
  readonly gone?: (index: number) => SecurePhase | undefined;
  readonly settings?: Partial<SecureSettings>;
  readonly client?: (index: number) => Partial<SecureClientOptions>;
  /** Alters a message to a client, as a dishonest aggregator would. */
  readonly lie?: (told: {
    readonly to: number;
    readonly phase: SecurePhase;
    readonly message: unknown;
  }) => unknown;
  /** Alters a response to the aggregator, as a dishonest client would. */
  readonly forge?: (said: { readonly from: number; readonly answer: SecureAnswer }) => SecureAnswer;
  /** Called before and after a response is received. */
  readonly before?: (said: {
    readonly from: number;
    readonly answer: SecureAnswer;
    readonly round: SecureRound;
  }) => void;
  readonly after?: (said: {
    readonly from: number;
    readonly answer: SecureAnswer;
    readonly round: SecureRound;
  }) => void;
}

const DEADLINES = { keys: 1000, shares: 1000, masked: 60_000, unmask: 1000 } as const;

/** Returns the settings of a round in a test. */
export function settingsFor({ clients, length = 50, settings = {} }: TestRound): SecureSettings {
  const maxWeight = settings.maxWeight ?? 20;
  return {
    length,
    clipRange: 8,
    levels: levelsFor({ clients, maxWeight }),
    maxWeight,
    samplesPerWeight: 10,
    minClients: 3,
    attempt: 1,
    ...settings,
  };
}

/** Runs a round to its end. Collects the errors of clients; a client with an error stops. */
export async function runRound(test: TestRound): Promise<{
  readonly round: SecureRound;
  readonly clients: readonly TestClient[];
  readonly errors: ReadonlyMap<number, unknown>;
  readonly masked: ReadonlyMap<number, Uint32Array>;
  readonly settings: SecureSettings;
}> {
  const settings = settingsFor(test);
  const clients = Array.from({ length: test.clients }, (_, i): TestClient => {
    const change = Float32Array.from({ length: settings.length }, (_, j) => Math.sin(i * 7 + j) * 3);
    const numSamples = 10 + 17 * i;
    const gone = test.gone?.(i);
    return {
      name: `c${i}`,
      change,
      numSamples,
      ...(gone && { gone }),
      client: createSecureClient({
        federation: "test",
        round: 4,
        length: settings.length,
        update: async () => ({ change, numSamples }),
        ...test.client?.(i),
      }),
    };
  });
  let now = 0;
  const round = createSecureRound({
    federation: "test",
    round: 4,
    settings,
    clients: clients.map(({ name }) => name),
    deadlines: DEADLINES,
    now,
  });
  const errors = new Map<number, unknown>();
  const masked = new Map<number, Uint32Array>();
  while (round.phase !== "done" && round.phase !== "abandoned") {
    for (const [i, { name, gone, client }] of clients.entries()) {
      const task = round.task(name);
      if (!task || errors.has(i) || (gone && PHASES.indexOf(gone) <= PHASES.indexOf(task.phase))) continue;
      try {
        const message = JSON.parse(JSON.stringify(task.message)) as unknown;
        const honest = await client.answer(
          task.phase,
          test.lie ? test.lie({ to: i, phase: task.phase, message }) : message,
        );
        const answer = test.forge ? test.forge({ from: i, answer: honest }) : honest;
        test.before?.({ from: i, answer, round });
        if (answer.phase === "masked") masked.set(i, answer.message);
        const read = readSecureResponse(
          answer.phase,
          writeSecureResponse(answer, { round: 4, modelVersion: 3 }),
        );
        const receipt = round.receive(name, read.answer);
        test.after?.({ from: i, answer, round });
        if ("rejected" in receipt) throw new Error(`${receipt.rejected}: ${receipt.error}`);
      } catch (error) {
        errors.set(i, error);
      }
    }
    if (await round.advance(now)) continue;
    now = round.deadlineAt;
    await round.advance(now);
  }
  return { round, clients, errors, masked, settings };
}

const PHASES: readonly SecurePhase[] = ["keys", "shares", "masked", "unmask"];

/** Returns the plain weighted mean and the mean of the quantized vectors of these clients. */
export function plainMean(
  clients: readonly TestClient[],
  settings: SecureSettings,
): { readonly mean: Float64Array; readonly quantized: Float32Array; readonly totalWeight: number } {
  const mean = new Float64Array(settings.length);
  const sums = new Float64Array(settings.length);
  let totalWeight = 0;
  for (const { change, numSamples } of clients) {
    const weight = weightOf(settings, numSamples);
    totalWeight += weight;
    const words = quantize(change, { settings, weight });
    for (let i = 0; i < mean.length; i++) {
      mean[i]! += change[i]! * weight;
      sums[i]! += words[i]! | 0;
    }
  }
  const step = (2 * settings.clipRange) / settings.levels;
  return {
    mean: mean.map((sum) => sum / totalWeight),
    quantized: Float32Array.from(sums, (sum) => (sum * step) / totalWeight),
    totalWeight,
  };
}
