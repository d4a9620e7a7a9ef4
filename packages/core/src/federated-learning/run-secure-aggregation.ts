import { SednaError, WireError } from "../errors.ts";
import {
  createSecureClient,
  type SecureClient,
  type SecureClientOptions,
} from "../secure-aggregation/create-secure-client.ts";
import { decodeUpdate, modelUpdate } from "../update-codec/model-update.ts";
import type { FederationTask } from "../wire/federation.ts";
import { flatLength } from "../wire/federation-parsers.ts";
import { writeSecureAnswer } from "../wire/secure-answer.ts";
import { parseSecureKeysTask } from "../wire/secure-aggregation-parsers.ts";
import { readUpdateMessage } from "../wire/update-message.ts";
import type { FederationTransport } from "./federation-transport.ts";
import { makeUpdate, type MakeUpdateContext } from "./make-update.ts";

/** A phase of a secure sum, as a client is told of it. */
export type SecureTask = Extract<FederationTask, { kind: "secure" }>;

/** What taking part in a secure sum needs. */
export interface SecureContext<Sample> extends MakeUpdateContext<Sample> {
  readonly signal: AbortSignal;
  readonly sendSecure: FederationTransport["sendSecure"];
  /** What the client asks of a sum beside what it always does: signed keys, a larger least. */
  readonly secure: Pick<SecureClientOptions, "minClients" | "sign" | "verify">;
  /** Something failed that no other try heals: an aggregator that lies is among it. */
  readonly onFailed: (error: unknown) => void;
}

/** A client's part in the secure sum of one round. */
export interface SecurePart {
  readonly round: number;
  /** While it trains. One that is told to wait meanwhile has been left behind; one that sends may only not have heard yet that its answer is there. */
  readonly training: boolean;
  /** What the aggregator asks now. Phases are answered one after the other. */
  told(task: SecureTask): void;
  /** Ends it. Resolves when the estimator is free. */
  stop(options: { readonly over: boolean }): Promise<void>;
}

/**
 * Answers the phases of a round's secure sum. It trains when its vector is asked for. Each try of a round has new keys: a client
 * that comes in the middle of one, after a restart, has none, and waits for the next.
 */
export function runSecureAggregation<Sample>(first: SecureTask, context: SecureContext<Sample>): SecurePart {
  const { plan, secure, sendSecure, trying, emit, onFailed } = context;
  const { round } = first;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const at = { training: false, accepted: false, attempt: -1 };
  /** Phases of this try whose answer is there: the same task may be told again after it. */
  let answered = new Set<string>();
  let client: SecureClient | undefined;
  let work = Promise.resolve();

  const train = async (task: SecureTask): ReturnType<SecureClientOptions["update"]> => {
    // By the plan's encoder, float32: it is what keeps to the plan's norm.
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
    const body = writeSecureAnswer(said, { round, modelVersion });
    const reply = await trying(() => sendSecure(phase, { round, message: body, signal }), {
      action: `answer phase ${phase} of the secure sum`,
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
    // What can't be read may be read next time; who asks for what an honest aggregator would not, is left.
    else if (error instanceof WireError || (error instanceof SednaError && error.code === "update-refused"))
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
          message: "the sum went on before this client had answered",
        });
    },
  };
}
