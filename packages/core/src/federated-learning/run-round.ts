import { SednaError } from "../errors.ts";
import { abortable } from "../async/abortable.ts";
import type { EncodedUpdate } from "../update-codec/create-update-encoder.ts";
import type { UpdateReceipt, RejectionCode, UpdateRejection } from "../wire/federation.ts";
import type { MissedReason } from "./federated-event.ts";
import { makeUpdate, type MakeUpdateContext, type TrainTask } from "./make-update.ts";

/**
 * How long an answer is waited for when its round is over, in ms. The update that closes a round is answered after the
 * others hear of the next one.
 */
const ANSWER_MS = 500;

/** What taking part in a round needs. */
export interface RoundContext<Sample> extends MakeUpdateContext<Sample> {
  readonly signal: AbortSignal;
  readonly sendUpdate: (
    message: Uint8Array,
    options: { readonly round: number; readonly signal: AbortSignal },
  ) => Promise<UpdateReceipt | UpdateRejection>;
  /** Waits before the same update is sent once more; longer each time. */
  readonly beforeAgain: (tried: number, signal: AbortSignal) => Promise<void>;
  /** What the encoding left out of an update that counts is kept by the encoder now. */
  readonly onCommitted: () => void;
  /** Nothing is left to do but to wait for the round's end. */
  readonly onIdle: () => void;
  /** Something failed that no other try heals. */
  readonly onFailed: (error: unknown) => void;
}

/** A client's part in one round. */
export interface RoundPart {
  readonly task: TrainTask;
  readonly idle: boolean;
  /** What the aggregator says now of this round. */
  told(task: TrainTask): void;
  /** Ends it, because the round is `over` or because all ends. Resolves when the estimator is free. */
  stop(options: { readonly over: boolean }): Promise<void>;
}

/** Refusals that say nothing of the update itself. */
const LATE: readonly RejectionCode[] = ["quarantined", "not-selected", "wrong-round", "round-closed"];

/**
 * Trains for a round and sends the update, once; and the very same again whenever the aggregator says that it has none:
 * it may have lost it in a restart, and what it counts must be one thing, however often it comes.
 */
export function runRound<Sample>(task: TrainTask, context: RoundContext<Sample>): RoundPart {
  const { sendUpdate, beforeAgain, trying, emit, onCommitted, onIdle, onFailed } = context;
  const { round } = task;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  /** `lacking`: as far as we know the aggregator has no update of ours. */
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
    // A restart of the aggregator that lost it does not make it another update.
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
      // Damage on the way is not the update's fault: once more, as it is.
      if ("code" in answer && answer.code === "wrong-digest" && at.damaged++ === 0) return;
      if ("code" in answer) {
        at.late = LATE.includes(answer.code) ? at.seq : undefined;
        missed(answer.code, answer.error);
      } else if (answer.accepted) accepted();
      else missed("round-closed", "the aggregator took the update and did not count it");
    } catch (error) {
      signal.throwIfAborted();
      // Cut off because it was heard otherwise that the update is there.
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
      // A round that was given up has another attempt, of the same number and model: what was too late for the first is not for this one.
      if (at.missed && at.late !== undefined && at.late !== now.seq && !now.accepted) {
        at.missed = false;
        at.lacking = true;
        wake();
      } else if (now.accepted) {
        // Heard here before the answer came.
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
      if (over && sending) await abortable(withinTime(answered), context.signal).catch(() => {});
      ended.abort();
      await running;
      if (over)
        missed(
          at.tries > 0 ? "unanswered" : "superseded",
          at.tries > 0
            ? "the round was over before the aggregator answered"
            : "the round was over before the update was sent",
        );
    },
  };
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ANSWER_MS)))]);
  clearTimeout(timer);
}
