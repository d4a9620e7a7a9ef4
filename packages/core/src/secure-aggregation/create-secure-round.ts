import { type SednaError } from "../errors.ts";
import type { SecurePhase } from "../wire/federation.ts";
import type { SecureAnswer } from "../wire/secure-aggregation.ts";
import { closeSecurePhase } from "./close-secure-phase.ts";
import { fitsRing } from "./quantize.ts";
import { receiveSecureAnswer, type SecureReceipt } from "./receive-secure-answer.ts";
import {
  awaitedClients,
  initialSecureRound,
  messageTo,
  type SecureAggregate,
  type SecureRoundSetup,
} from "./secure-round-state.ts";

// One secure aggregation has four phases: keys, shares, masked, unmask. The parts, each a function of state:
//
//   secure-round-state      the state, the clients that a phase waits for, and the message to each
//   receive-secure-answer   a client's response to the phase
//   close-secure-phase      the end of a phase: the next phase, a result, or an abandoned round
//
// This file owns the state. While a phase is being closed, which takes time, no response is received.

/** Options of {@link createSecureRound}. Times in ms. */
export interface SecureRoundOptions extends SecureRoundSetup {
  readonly now: number;
}

/**
 * The aggregator side of one secure aggregation. It has no clock and no network: the caller provides both.
 */
export interface SecureRound {
  readonly round: number;
  readonly phase: SecurePhase | "done" | "abandoned";
  /** Time at which the phase ends, even if clients are missing. */
  readonly deadlineAt: number;
  /**
   * Returns the current task of a client, or `undefined` if the client has responded or is no longer part of
   * the round.
   */
  task(client: string): { readonly phase: SecurePhase; readonly message: unknown } | undefined;
  /** Receives a response. A masked vector is added to the sum immediately and is not stored. */
  receive(client: string, answer: SecureAnswer): SecureReceipt;
  /**
   * Starts the next phase if every client has responded or the deadline has passed. Call it after `receive`
   * and at `deadlineAt`.
   *
   * @returns Whether the phase has changed.
   */
  advance(now: number): Promise<boolean>;
  /** Set in phase `done`. */
  readonly result: SecureAggregate | undefined;
  /** Set in phase `abandoned`: a `cohort-too-small` error with the reason. */
  readonly error: SednaError | undefined;
  /** Set in phase `abandoned` if known: the client that caused the failure. */
  readonly suspect: string | undefined;
}

/**
 * Creates the aggregator of one round of secure aggregation. The aggregator learns the sum, the total weight
 * and the participants, and nothing more about a single client. If too few clients are left to unmask the
 * sum, the round is abandoned: a partial sum is never unmasked.
 *
 * @throws {RangeError} If the sum of all clients could overflow, or there are fewer than `minClients`
 * clients.
 */
export function createSecureRound({ now, ...setup }: SecureRoundOptions): SecureRound {
  const { round, settings, clients } = setup;
  if (!fitsRing(settings, clients.length))
    throw new RangeError(
      `start a secure aggregation: expected clients times levels times weight below 2^32; got ${clients.length} times ${settings.levels} times ${settings.maxWeight}`,
    );
  if (clients.length < settings.minClients)
    throw new RangeError(
      `start a secure aggregation: expected at least ${settings.minClients} clients; got ${clients.length}`,
    );
  const state = initialSecureRound(setup, now);
  let closing: Promise<boolean> | undefined;
  const isOver = (): boolean => state.phase === "done" || state.phase === "abandoned";

  return {
    round,
    get phase() {
      return state.phase;
    },
    get deadlineAt() {
      return state.deadlineAt;
    },
    get result() {
      return state.result;
    },
    get error() {
      return state.error;
    },
    get suspect() {
      return state.suspect;
    },
    task(client) {
      const { phase } = state;
      if (phase === "done" || phase === "abandoned" || !awaitedClients(state, clients).includes(client))
        return undefined;
      return { phase, message: messageTo(client, state, settings) };
    },
    receive(client, answer) {
      if (answer.phase !== state.phase || closing)
        return {
          rejected: "round-closed",
          error: `expected a response of phase ${state.phase}; got one of ${answer.phase}`,
        };
      return receiveSecureAnswer(state, { client, answer, clients });
    },
    async advance(at) {
      if (closing) return closing;
      if (isOver() || (at < state.deadlineAt && awaitedClients(state, clients).length > 0)) return false;
      closing = closeSecurePhase(state, setup, at).then(() => true);
      try {
        return await closing;
      } finally {
        closing = undefined;
      }
    },
  };
}
