import type { RejectionCode } from "@sedna-js/core/wire";
import type { ServiceSocket } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";

/** What one of Sedna's clients sent: whole weights. */
export interface SednaUpdate {
  readonly weights: Float64Array;
  readonly numSamples: number;
  readonly bytes: number;
}

/** One of Sedna's clients in a federation; see {@link sednaMember}. */
export interface SednaMember {
  readonly id: string;
  readonly socket: ServiceSocket;
  update(update: SednaUpdate): void;
  /** Gives it a result that all are given. */
  tellModel(frame: string, options: { readonly isLast: boolean }): void;
  end(): void;
}

/** Options of {@link sednaMember}. */
export interface SednaMemberOptions {
  readonly federation: Federation;
  readonly id: string;
  readonly who: Member;
  readonly socket: ServiceSocket;
  /** The newest model as a frame. */
  readonly modelNow: () => string | undefined;
  readonly countLateStarters: boolean;
}

/**
 * Refusals that are nobody's fault: the update waits for the next round, or for the model that makes it
 * needless.
 */
const patient: readonly RejectionCode[] = [
  "quarantined",
  "not-selected",
  "wrong-round",
  "round-closed",
  "duplicate",
];

/**
 * Keeps what a client sent last until a model comes of it, and counts it in each round that is open
 * meanwhile: its client knows no rounds, and sends nothing again before it got a model.
 */
export function sednaMember({
  federation,
  id,
  who,
  socket,
  modelNow,
  countLateStarters,
}: SednaMemberOptions): SednaMember {
  let waiting: SednaUpdate | undefined;
  /** True while it trains from weights of its own although there is a model. */
  let startsWrong = !countLateStarters && federation.status().modelVersion > 0;
  let toldAny = false;
  let toldLast = false;
  let counting = false;
  let again = false;
  let ended = false;

  const count = async (): Promise<void> => {
    // A task may be told before the result that makes the update needless.
    await Promise.resolve();
    if (waiting === undefined || ended) return;
    const task = federation.task(who);
    if (task.kind !== "train" || task.accepted) return;
    const { weights, numSamples, bytes } = waiting;
    const base = federation.model(task.modelVersion)?.parameters;
    if (!base) return;
    const values = Float32Array.from(weights, (weight, i) => weight - base[i]!);
    const receipt = await federation.submit(who, {
      update: { encoding: "f32", values },
      numSamples,
      round: task.round,
      modelVersion: task.modelVersion,
      bytes,
    });
    if (!("rejected" in receipt) || patient.includes(receipt.rejected) || ended) return;
    waiting = undefined;
    socket.close(1008, receipt.error);
  };
  const tryToCount = (): void => {
    if (ended) return;
    if (counting) {
      again = true;
      return;
    }
    counting = true;
    count()
      .catch(() => socket.close(1011, "the server failed"))
      .finally(() => {
        counting = false;
        if (!again || ended) return;
        again = false;
        tryToCount();
      });
  };
  const unsubscribe = federation.onTask(who, tryToCount);

  return {
    id,
    socket,
    update(update) {
      const isDone = federation.task(who).kind === "done";
      if (!isDone && !startsWrong) {
        waiting = update;
        return tryToCount();
      }
      startsWrong = false;
      // What it was told while it trained it reads next; told again it would be one model behind for ever.
      if (isDone ? toldLast : toldAny) return;
      waiting = undefined;
      const frame = modelNow();
      if (frame !== undefined) this.tellModel(frame, { isLast: isDone });
    },
    tellModel(frame, { isLast }) {
      waiting = undefined;
      toldAny = true;
      toldLast = isLast;
      socket.send(frame);
    },
    end() {
      ended = true;
      waiting = undefined;
      unsubscribe();
    },
  };
}
