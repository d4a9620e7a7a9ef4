import { WireError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { allClients, roundTargets } from "@sedna-js/core/federation";
import {
  createSecureRound,
  levelsFor,
  type SecureAggregate,
  type SecureReceipt,
  type SecureRound,
} from "@sedna-js/core/secure-aggregation";
import {
  type FederationTask,
  maxSecureResponseBytes,
  readSecureResponse,
  type SecurePhase,
  type SecureSettings,
} from "@sedna-js/core/wire";
import type { Logger } from "../../http/service.ts";
import type { Timers } from "../../timers.ts";
import type { FederationSetup } from "../federation-setup.ts";
import { clipToNorm } from "../updates/update-norm.ts";
import type { Rounds } from "./create-rounds.ts";
import { minSecureClients, type SecureOptions } from "./secure-options.ts";

/** Options of {@link createSecureRounds}. */
export interface SecureRoundsOptions {
  readonly setup: FederationSetup;
  readonly secure: SecureOptions;
  readonly rounds: Rounds;
  readonly now: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Secure aggregation in the rounds of a federation; see {@link createSecureRounds}. */
export interface SecureRounds {
  /** Checks whether a round has opened or closed. Call it after each event. */
  follow(): void;
  /** Returns the secure aggregation task of a selected client. */
  task(client: string, told: Extract<FederationTask, { kind: "train" }>): FederationTask;
  /**
   * Accepts the body of a response.
   * @throws {WireError} If the body is malformed.
   */
  receive(client: string, answer: { readonly phase: SecurePhase; readonly body: Uint8Array }): SecureReceipt;
  /** Returns the maximum size of a response, in bytes. */
  maxBytes(phase: SecurePhase): number;
  /** Calls the listener when the tasks of clients may have changed. */
  subscribe(listener: () => void): void;
  /** Abandons a round that was active before a restart: its masks existed in memory only. */
  abandonRestored(): void;
  close(): void;
}

/**
 * Fraction of the round's duration for each phase; the rest is for the model. Training happens in the phase
 * `masked`.
 */
const SHARES = { keys: 0.1, shares: 0.1, masked: 0.55, unmask: 0.2 } as const;

/** Delay after which a polling client requests the next phase, in ms. */
const POLL_MS = 250;

/**
 * Runs one secure aggregation per round, with the clients that the reducer selected when the round opened. A
 * restart abandons the active round, because masks are only in memory.
 */
export function createSecureRounds({
  setup,
  secure,
  rounds,
  now,
  timers,
  logger,
}: SecureRoundsOptions): SecureRounds {
  const { length, settings, limits } = setup;
  const federation = setup.plan.name;
  const listeners: (() => void)[] = [];
  const { minimum, selection } = roundTargets(settings);
  const {
    clipRange = 8,
    maxWeight = 1,
    samplesPerWeight = 100,
    minClients = minSecureClients(minimum),
  } = secure;
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

  const finish = (
    { round, clients, mean, totalWeight }: SecureAggregate & { readonly round: number },
    bytes: number,
  ): void => {
    // No client alone moves an honest mean further than the clip norm; the norm limits those that sent no
    // honest update too.
    rounds.accumulator!.restore({
      count: clients.length,
      totalWeight,
      mean: clipToNorm(mean, limits.clipNorm),
    });
    rounds.dispatch({ type: "summed", at: now(), round, clients, totalWeight, bytes });
  };
  /** Too few clients are left, or the suspect sent shares that no client can open. */
  const abandon = (round: number, suspect?: string): void => {
    if (!rounds.isOpen) return;
    // A strike, or the suspect could keep every round from ending.
    if (suspect !== undefined)
      rounds.dispatch({ type: "rejected", at: now(), client: suspect, round, code: "wrong-shape" });
    rounds.dispatch({ type: "failed", at: now(), round });
  };
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
    // Unmasking takes a while, and the round may be over by then.
    if (running !== run) return;
    timers.clear(run.timer);
    if (sum.result) {
      stop();
      finish({ ...sum.result, round: sum.round }, run.bytes);
    } else if (sum.error) {
      stop();
      logger.info({ error: sum.error.message }, "a secure aggregation was abandoned");
      abandon(sum.round, sum.suspect);
    } else {
      run.timer = timers.set(step, Math.max(1, sum.deadlineAt - now()));
      if (moved) for (const listener of listeners) listener();
    }
  };
  const step = (): void => {
    const run = running;
    advance().catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, "a secure aggregation failed");
      if (running !== run || !run) return;
      stop();
      abandon(run.sum.round);
    });
  };

  return {
    follow() {
      const { open } = rounds.state;
      if (isClosed || !open || open.closing) return stop();
      if (running?.sum.round === open.round && running.openedAt === open.openedAt) return;
      stop();
      const clients = allClients(open.selected).map(({ client }) => client);
      if (clients.length < plan.minClients) {
        // The reducer is in the middle of an event; dispatch the next one after it.
        queueMicrotask(() => abandon(open.round));
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
      const { round, answer } = readSecureResponse(phase, body);
      if (running?.sum.round !== round)
        return {
          rejected: "wrong-round",
          error: `accept a secure aggregation response: expected one for round ${running?.sum.round ?? "none"}; got one for ${round}`,
        };
      const receipt = running.sum.receive(client, answer);
      if ("accepted" in receipt && !receipt.duplicate) {
        running.bytes += body.length;
        step();
      }
      return receipt;
    },
    subscribe: (listener) => void listeners.push(listener),
    abandonRestored() {
      const { open } = rounds.state;
      if (open && !open.closing) abandon(open.round);
    },
    maxBytes: (phase) => maxSecureResponseBytes(phase, length),
    close() {
      isClosed = true;
      stop();
    },
  };
}

/** Returns the rejection of a response that could not be decoded. Throws other errors again. */
export function unreadable(error: unknown): SecureReceipt {
  if (error instanceof WireError) return { rejected: "wrong-shape", error: error.message };
  throw error;
}
