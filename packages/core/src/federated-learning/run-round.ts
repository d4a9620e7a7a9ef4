import { waitAtMost } from "../async/wait-at-most.ts";
import { SednaError } from "../errors.ts";
import { abortable } from "../async/abortable.ts";
import type { EncodedUpdate } from "../update-codec/create-update-encoder.ts";
import type { UpdateReceipt, RejectionCode, UpdateRejection } from "../wire/federation.ts";
import type { MissedReason } from "./federated-event.ts";
import { makeUpdate, type MakeUpdateContext, type TrainTask } from "./make-update.ts";

/**
 * Time to wait for a response after the round is over, in ms. The response to the update that closes a round
 * arrives after the other clients are notified of the next round.
 */
const ANSWER_MS = 500;

/** Input of {@link runRound}. */
export interface RoundContext<Sample> extends MakeUpdateContext<Sample> {
  readonly signal: AbortSignal;
  readonly sendUpdate: (
    message: Uint8Array,
    options: { readonly round: number; readonly signal: AbortSignal },
  ) => Promise<UpdateReceipt | UpdateRejection>;
  /** Waits before the same update is sent again. The delay grows with each attempt. */
  readonly beforeAgain: (tried: number, signal: AbortSignal) => Promise<void>;
  /** Called when the encoder has kept the residual of an accepted update. */
  readonly onCommitted: () => void;
  /** Called when nothing is left to do until the round ends. */
  readonly onIdle: () => void;
  /** Called with an error that a retry cannot fix. */
  readonly onFailed: (error: unknown) => void;
}

/** A client's participation in one round. */
export interface RoundPart {
  readonly task: TrainTask;
  readonly idle: boolean;
  /** Called with the current task of this round. */
  told(task: TrainTask): void;
  /**
   * Ends the participation, because the round is `over` or because the client stops. Resolves when the
   * estimator is free.
   */
  stop(options: { readonly over: boolean }): Promise<void>;
}

/** Rejection codes that say nothing about the update itself. */
const LATE: readonly RejectionCode[] = ["quarantined", "not-selected", "wrong-round", "round-closed"];

/**
 * Trains for a round and sends the update once. Sends the identical update again whenever the aggregator
 * reports that it has none: the aggregator may have lost the update in a restart, and every copy that it
 * receives must be identical.
 */
export function runRound<Sample>(task: TrainTask, context: RoundContext<Sample>): RoundPart {
  const { sendUpdate, beforeAgain, trying, emit, onCommitted, onIdle, onFailed } = context;
  const { round } = task;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  /** `lacking`: as far as the client knows, the aggregator has no update of this client. */
  const at = {
    lacking: !task.accepted,
    accepted: task.accepted,
    committed: false,
    missed: false,
    tries: 0,
    damaged: 0,
    idle: false,
    seq: task.seq,
    late: undefined as number | undefined,
  };
  let update: EncodedUpdate | undefined;
  let sending: AbortController | undefined;
  let answered: Promise<void> = Promise.resolve();
  let wake = (): void => {};

  const accepted = (): void => {
    at.lacking = false;
    if (at.accepted) return;
    at.accepted = true;
    // An aggregator that lost the update in a restart accepts the same update again.
    emit({ type: "accepted", round, again: at.committed });
    if (update && !at.committed) {
      at.committed = true;
      update.commit();
      onCommitted();
    }
  };
  const missed = (why: MissedReason, message: string): void => {
    at.lacking = false;
    if (at.missed || at.accepted) return;
    at.missed = true;
    emit({ type: "missed", round, why, message });
  };

  const untilAsked = async (): Promise<void> => {
    while (!at.lacking || at.missed) {
      at.idle = true;
      onIdle();
      await abortable(new Promise<void>((resolve) => (wake = resolve)), signal);
    }
    at.idle = false;
  };

  const send = async ({ message }: EncodedUpdate): Promise<void> => {
    sending = new AbortController();
    const until = AbortSignal.any([signal, sending.signal]);
    const once = (): Promise<UpdateReceipt | UpdateRejection> => {
      at.tries++;
      return sendUpdate(message, { round, signal: until });
    };
    try {
      const answer = await trying(once, { action: "send the update", signal: until });
      emit({ type: "sent", round, bytes: message.length });
      // Damage in transit is not the update's fault: send the update once more, unchanged.
      if ("code" in answer && answer.code === "wrong-digest" && at.damaged++ === 0) return;
      if ("code" in answer) {
        at.late = LATE.includes(answer.code) ? at.seq : undefined;
        missed(answer.code, answer.error);
      } else if (answer.accepted) accepted();
      else missed("round-closed", "the aggregator received the update and did not accept it");
    } catch (error) {
      signal.throwIfAborted();
      // The upload was aborted because a task already reported the update as accepted.
      if (!until.aborted) throw error;
    } finally {
      sending = undefined;
    }
  };

  const work = async (): Promise<void> => {
    for (let sends = 0; ;) {
      await untilAsked();
      if (update === undefined) {
        try {
          update = await makeUpdate(task, { ...context, signal });
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof SednaError && error.code === "training-failed")) throw error;
          missed("training-failed", error.message);
        }
        continue;
      }
      if (sends > 0) await beforeAgain(sends, signal);
      signal.throwIfAborted();
      sends++;
      const sent = send(update);
      answered = sent.catch(() => {});
      await sent;
    }
  };

  const running = Promise.resolve()
    .then(work)
    .catch((error: unknown) => {
      if (!signal.aborted) onFailed(error);
    });

  return {
    task,
    get idle() {
      return at.idle;
    },
    told(now) {
      at.seq = now.seq;
      // The next attempt of an abandoned round has the same number and model. An update that was too late for
      // the first attempt is in time for the next one.
      if (at.missed && at.late !== undefined && at.late !== now.seq && !now.accepted) {
        at.missed = false;
        at.lacking = true;
        wake();
      } else if (now.accepted) {
        // The task reports the update as accepted before the upload receives its response.
        if (sending && update) emit({ type: "sent", round, bytes: update.message.length });
        accepted();
        sending?.abort();
      } else if (at.accepted) {
        at.accepted = false;
        at.lacking = true;
        wake();
      }
    },
    async stop({ over }) {
      if (over && sending) await abortable(waitAtMost(answered, ANSWER_MS), context.signal).catch(() => {});
      ended.abort();
      await running;
      if (over)
        missed(
          at.tries > 0 ? "unanswered" : "superseded",
          at.tries > 0
            ? "the round ended before the aggregator responded"
            : "the round ended before the update was sent",
        );
    },
  };
}
