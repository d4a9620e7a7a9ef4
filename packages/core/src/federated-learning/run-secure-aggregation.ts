import { SednaError, WireError } from "../errors.ts";
import { createSecureClient, type SecureClient } from "../secure-aggregation/create-secure-client.ts";
import type { SecureClientOptions } from "../secure-aggregation/answer-secure-phase.ts";
import { decodeUpdate, modelUpdate } from "../update-codec/model-update.ts";
import type { FederationTask } from "../wire/federation.ts";
import { flatLength } from "../wire/federation-parsers.ts";
import { writeSecureResponse } from "../wire/secure-answer.ts";
import { parseSecureKeysTask } from "../wire/secure-aggregation-parsers.ts";
import { readUpdateMessage } from "../wire/update-message.ts";
import type { FederationTransport } from "./federation-transport.ts";
import { makeUpdate, type MakeUpdateContext } from "./make-update.ts";

/** A task of one phase of secure aggregation. */
export type SecureTask = Extract<FederationTask, { kind: "secure" }>;

/** Input of {@link runSecureAggregation}. */
export interface SecureContext<Sample> extends MakeUpdateContext<Sample> {
  readonly signal: AbortSignal;
  readonly sendSecure: FederationTransport["sendSecure"];
  /**
   * Requirements for the aggregation, in addition to the client's own checks: signed keys, a larger minimum
   * of clients.
   */
  readonly secure: Pick<SecureClientOptions, "minClients" | "sign" | "verify">;
  /** Called with an error that a retry cannot fix, such as a dishonest aggregator. */
  readonly onFailed: (error: unknown) => void;
}

/** A client's participation in the secure aggregation of one round. */
export interface SecureAggregationRun {
  readonly round: number;
  /**
   * Whether the client is training. A client that receives `wait` while it is training has been left behind;
   * a client that receives `wait` while it is sending may only lack the response to its message.
   */
  readonly training: boolean;
  /** Called with the current task. The client responds to the phases one after the other. */
  told(task: SecureTask): void;
  /** Ends the participation. Resolves when the estimator is free. */
  stop(options: { readonly over: boolean }): Promise<void>;
}

/**
 * Responds to the phases of a round's secure aggregation. Trains when the masked vector is requested. Each
 * attempt of a round uses new keys: a client that joins during an attempt, for example after a restart, has
 * none and waits for the next attempt.
 */
export function runSecureAggregation<Sample>(
  first: SecureTask,
  context: SecureContext<Sample>,
): SecureAggregationRun {
  const { plan, secure, sendSecure, trying, emit, onFailed } = context;
  const { round } = first;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const at = { training: false, accepted: false, attempt: -1 };
  /** Phases of this attempt whose response the aggregator has accepted. The same task may arrive again. */
  let answered = new Set<string>();
  let client: SecureClient | undefined;
  let work = Promise.resolve();

  const train = async (task: SecureTask): ReturnType<SecureClientOptions["update"]> => {
    // Use the plan's encoder, with float32, because it enforces the plan's clip norm.
    at.training = true;
    const { message } = await makeUpdate(
      { ...task, kind: "train", accepted: false },
      { ...context, signal },
    ).finally(() => (at.training = false));
    const { head, payload } = readUpdateMessage(message);
    return { change: decodeUpdate(modelUpdate(head, payload), head.length), numSamples: head.numSamples };
  };

  const answer = async (task: SecureTask): Promise<void> => {
    const { phase, message, modelVersion } = task;
    if (phase === "keys") {
      const {
        settings: { attempt },
      } = parseSecureKeysTask(message);
      if (attempt !== at.attempt) {
        client = createSecureClient({
          ...secure,
          federation: plan.name,
          round,
          length: flatLength(plan.layout),
          update: () => train(task),
        });
        answered = new Set();
      }
      at.attempt = attempt;
    }
    if (!client || answered.has(phase)) return;
    const said = await client.answer(phase, message);
    const body = writeSecureResponse(said, { round, modelVersion });
    const reply = await trying(() => sendSecure(phase, { round, message: body, signal }), {
      action: `send phase ${phase} of the secure aggregation`,
      signal,
    });
    if (phase === "masked") emit({ type: "sent", round, bytes: body.length });
    if ("code" in reply) emit({ type: "missed", round, why: reply.code, message: reply.error });
    else answered.add(phase);
    if (phase === "masked" && answered.has(phase)) {
      emit({ type: "accepted", round, again: at.accepted });
      at.accepted = true;
    }
  };

  const failed = (error: unknown): void => {
    if (signal.aborted) return;
    if (error instanceof SednaError && error.code === "training-failed")
      emit({ type: "missed", round, why: "training-failed", message: error.message });
    // A malformed message may be readable next time, and so may one out of order. A `privacy-forbids` error
    // ends the participation in the federation.
    else if (error instanceof WireError || (error instanceof SednaError && error.code === "update-rejected"))
      emit({ type: "missed", round, why: "round-closed", message: error.message });
    else onFailed(error);
  };

  const told = (task: SecureTask): void => {
    work = work.then(() => (signal.aborted ? undefined : answer(task))).catch(failed);
  };
  told(first);

  return {
    round,
    get training() {
      return at.training;
    },
    told,
    async stop({ over }) {
      const { training } = at;
      ended.abort();
      await work;
      if (over && training)
        emit({
          type: "missed",
          round,
          why: "superseded",
          message: "the aggregation continued before this client responded",
        });
    },
  };
}
