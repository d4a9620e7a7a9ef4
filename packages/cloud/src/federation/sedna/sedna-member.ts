import { coalesce } from "@sedna-js/core/async";
import type { RejectionCode } from "@sedna-js/core/wire";
import type { ServiceSocket } from "../../http/service.ts";
import type { Federation } from "../federation.ts";
import type { Member } from "../sessions/member.ts";

/** An update from a Sedna client: its whole weights. */
export interface SednaUpdate {
  readonly weights: Float64Array;
  readonly numSamples: number;
  readonly bytes: number;
}

/** A Sedna client in a federation; see {@link sednaMember}. */
export interface SednaMember {
  readonly id: string;
  readonly socket: ServiceSocket;
  update(update: SednaUpdate): void;
  /** Sends the client a result that all members receive. */
  tellModel(frame: string, options: { readonly isLast: boolean }): void;
  end(): void;
}

/** Options of {@link sednaMember}. */
export interface SednaMemberOptions {
  readonly federation: Federation;
  readonly id: string;
  readonly who: Member;
  readonly socket: ServiceSocket;
  /** Returns the latest model as a frame. */
  readonly modelNow: () => string | undefined;
  readonly countLateStarters: boolean;
}

/**
 * Rejections without a fault of the client: the update waits for the next round, or for the model that makes
 * it obsolete.
 */
const patient: readonly RejectionCode[] = [
  "quarantined",
  "not-selected",
  "wrong-round",
  "round-closed",
  "duplicate",
];

/**
 * Keeps the last update of a client until a model is made from it, and submits it to each round that is
 * active meanwhile. The client does not know rounds, and sends no second update before it receives a model.
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
  /** True while the client trains from its own weights although a model exists. */
  let startsWrong = !countLateStarters && federation.status().modelVersion > 0;
  let toldAny = false;
  let toldLast = false;
  let ended = false;

  const count = async (): Promise<void> => {
    // The task may be emitted before the result that makes the update obsolete.
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
  const tryToCount = coalesce(() => count().catch(() => socket.close(1011, "the server failed")));
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
      // The client still has to read the model that it received while training. If the model is sent again,
      // the client stays one model behind forever.
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
