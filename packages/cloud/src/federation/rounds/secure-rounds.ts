import {
  createSecureRound,
  entriesOf,
  levelsFor,
  maxSecureAnswerBytes,
  readSecureAnswer,
  roundTargets,
  WireError,
  type FederationState,
  type FederationTask,
  type RoundSettings,
  type SecurePhase,
  type SecureReceipt,
  type SecureRound,
  type SecureSettings,
  type SecureSum,
} from "@sedna-js/core";
import type { Logger } from "../../http/service.ts";
import type { Timers } from "../timers.ts";

/** What a secure sum may be told otherwise. */
export interface SecureOptions {
  /** Changes beyond it, up and down, are cut off. Default 8. */
  readonly clipRange?: number;
  /** Largest weight of a client. Default 1: all weigh the same. */
  readonly maxWeight?: number;
  /** Samples that weigh 1. Default 100. */
  readonly samplesPerWeight?: number;
  /** A sum of fewer is not made. Default 3, or what the rounds ask for if that is more. */
  readonly minClients?: number;
}

/** Options of {@link createSecureRounds}. */
export interface SecureRoundsOptions {
  readonly federation: string;
  /** Parameters. */
  readonly length: number;
  readonly settings: RoundSettings;
  readonly secure: SecureOptions;
  readonly state: () => FederationState;
  readonly now: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Tasks may be others now. */
  readonly onMoved: () => void;
  /** A sum was opened. */
  readonly onSummed: (sum: SecureSum & { readonly round: number; readonly bytes: number }) => void;
  /** It cannot be: too few are left, or the suspect gave what nobody can open. */
  readonly onAbandoned: (round: number, suspect?: string) => void;
}

/** The secure sums of a federation's rounds; see {@link createSecureRounds}. */
export interface SecureRounds {
  /** Looks whether a round was opened or is over. To be called after each event. */
  follow(): void;
  /** What a client that was selected is to do in the sum. */
  task(client: string, told: Extract<FederationTask, { kind: "train" }>): FederationTask;
  /** Takes the body of an answer. @throws {WireError} on one that is none. */
  receive(client: string, answer: { readonly phase: SecurePhase; readonly body: Uint8Array }): SecureReceipt;
  /** Bytes of an answer at most. */
  maxBytes(phase: SecurePhase): number;
  close(): void;
}

/** Shares of a round's time for each phase; what is left is for the model. Training falls into `masked`. */
const SHARES = { keys: 0.1, shares: 0.1, masked: 0.55, unmask: 0.2 } as const;
/** A client that polls comes back so soon for the next phase, in ms. */
const POLL_MS = 250;

/** Of fewer clients a sum is not made, where the options do not say: of two, each knows what the other sent. */
export const leastClients = (minimum: number): number => Math.max(3, minimum);

/** Runs one secure sum a round, over the clients that the reducer has selected when it opened. A restart abandons what was open: masks live in memory only. */
export function createSecureRounds({
  federation,
  length,
  settings,
  secure,
  state,
  now,
  timers,
  logger,
  onMoved,
  onSummed,
  onAbandoned,
}: SecureRoundsOptions): SecureRounds {
  const { minimum, selection } = roundTargets(settings);
  const { clipRange = 8, maxWeight = 1, samplesPerWeight = 100, minClients = leastClients(minimum) } = secure;
  const plan: Omit<SecureSettings, "attempt"> = {
    length,
    clipRange,
    maxWeight,
    samplesPerWeight,
    minClients,
    levels: levelsFor({ clients: Math.max(selection, minClients), maxWeight }),
  };
  const deadlines = {
    keys: SHARES.keys * settings.deadlineMs,
    shares: SHARES.shares * settings.deadlineMs,
    masked: SHARES.masked * settings.deadlineMs,
    unmask: SHARES.unmask * settings.deadlineMs,
  };
  let running:
    | { readonly sum: SecureRound; readonly openedAt: number; bytes: number; timer: unknown }
    | undefined;
  let isClosed = false;

  const stop = (): void => {
    if (running) timers.clear(running.timer);
    running = undefined;
  };
  const advance = async (): Promise<void> => {
    const run = running;
    if (!run) return;
    const { sum } = run;
    let moved = false;
    while (await sum.advance(now())) moved = true;
    // Opening a sum takes a while, and the round may be over by then.
    if (running !== run) return;
    timers.clear(run.timer);
    if (sum.result) {
      stop();
      onSummed({ ...sum.result, round: sum.round, bytes: run.bytes });
    } else if (sum.error) {
      stop();
      logger.info({ error: sum.error.message }, "a secure sum was abandoned");
      onAbandoned(sum.round, sum.suspect);
    } else {
      run.timer = timers.set(step, Math.max(1, sum.deadlineAt - now()));
      if (moved) onMoved();
    }
  };
  const step = (): void => {
    const run = running;
    advance().catch((error: unknown) => {
      logger.error({ error: error instanceof Error ? error.message : String(error) }, "a secure sum failed");
      if (running !== run || !run) return;
      stop();
      onAbandoned(run.sum.round);
    });
  };

  return {
    follow() {
      const { open } = state();
      if (isClosed || !open || open.closing) return stop();
      if (running?.sum.round === open.round && running.openedAt === open.openedAt) return;
      stop();
      const clients = entriesOf(open.selected).map(({ client }) => client);
      if (clients.length < plan.minClients) {
        // The reducer is in the middle of an event; what follows from it comes after.
        queueMicrotask(() => onAbandoned(open.round));
        return;
      }
      const sum = createSecureRound({
        federation,
        round: open.round,
        settings: { ...plan, attempt: Math.floor(open.openedAt) },
        clients,
        deadlines,
        now: now(),
      });
      running = { sum, openedAt: open.openedAt, bytes: 0, timer: timers.set(step, deadlines.keys) };
    },
    task(client, { seq, round, modelVersion }) {
      const asked = running?.sum.round === round ? running.sum.task(client) : undefined;
      if (!running || !asked) return { kind: "wait", seq, round, modelVersion, retryAfterMs: POLL_MS };
      return {
        kind: "secure",
        seq,
        round,
        modelVersion,
        remainingMs: Math.max(0, running.sum.deadlineAt - now()),
        phase: asked.phase,
        message: asked.message,
      };
    },
    receive(client, { phase, body }) {
      const { round, answer } = readSecureAnswer(phase, body);
      if (running?.sum.round !== round)
        return {
          refused: "wrong-round",
          error: `take an answer: expected one for round ${running?.sum.round ?? "none"}; got one for ${round}`,
        };
      const receipt = running.sum.receive(client, answer);
      if ("counted" in receipt && !receipt.duplicate) {
        running.bytes += body.length;
        step();
      }
      return receipt;
    },
    maxBytes: (phase) => maxSecureAnswerBytes(phase, length),
    close() {
      isClosed = true;
      stop();
    },
  };
}

/** The receipt of an answer that could not be read. */
export function unreadable(error: unknown): SecureReceipt {
  if (error instanceof WireError) return { refused: "wrong-shape", error: error.message };
  throw error;
}
