import {
  writeUpdateMessage,
  type FederationState,
  type UpdateHead,
  type UpdateReceipt,
} from "@sedna-js/core";
import type { ModelUpdate } from "@sedna-js/wasm-kernels";
import { updateBlob } from "../log/blob-names.ts";
import type { Member } from "../federation.ts";
import type { FederationLog } from "../log/federation-log.ts";
import type { StatsCounter } from "../federation-stats.ts";
import type { RoundSum } from "../rounds/round-accumulator.ts";
import type { Refusal } from "./update-checks.ts";

/** A refusal as the client is told of it. */
export type ToldRefusal = Refusal & { readonly round: number };

/** An update that has come as far as its numbers. */
export interface CountRequest {
  readonly member: Member;
  /** Asked for anew after each wait: it may be a view of kernel memory, which moves. Undefined when its memory was given to another. */
  readonly change: () => ModelUpdate | undefined;
  readonly head: Pick<UpdateHead, "round" | "modelVersion" | "numSamples" | "metrics">;
  readonly digest: string;
  readonly bytes: number;
  /** As it travelled, where it did; a copy. */
  readonly message?: () => Uint8Array;
}

/** What counting works on. */
export interface CountContext {
  readonly log: FederationLog;
  readonly state: () => FederationState;
  readonly sum: () => RoundSum | undefined;
  readonly keepUpdates: boolean;
  readonly stats: StatsCounter;
  /** Whether the open round waits for this update, asked in the turn in which it is added. */
  readonly ask: (request: CountRequest) => ToldRefusal | UpdateReceipt | undefined;
  /** Tells why it is not taken, and writes a strike down. */
  readonly refuse: (member: Member, refusal: Refusal) => ToldRefusal;
  /** Reduces the event `counted`. */
  readonly counted: (request: CountRequest) => void;
}

/**
 * Adds updates to the open round's sum: checks the numbers, asks once more whether the round is open, adds, and says so, all in one
 * turn. Updates that are kept are on the disk before that, one after the other, each under its place among the counted.
 */
export function countUpdate(
  context: CountContext,
): (request: CountRequest) => Promise<UpdateReceipt | ToldRefusal> {
  const { log, state, keepUpdates, stats, ask, refuse, counted } = context;
  let queue: Promise<unknown> = Promise.resolve();

  const optionsOf = ({ member, head }: CountRequest) => ({
    client: member.client,
    numSamples: head.numSamples,
    staleness: Math.max(0, (state().open?.modelVersion ?? 0) - head.modelVersion),
  });
  const receipt = (request: CountRequest): UpdateReceipt => {
    counted(request);
    stats.counted();
    return { round: request.head.round, counted: true };
  };

  const lost = ({ head: { round } }: CountRequest): UpdateReceipt => ({ round, counted: false });

  const addNow = (request: CountRequest): UpdateReceipt | ToldRefusal => {
    const change = request.change();
    const told = change ? ask(request) : lost(request);
    if (told || !change) return told!;
    const refusal = stats.timed(() => context.sum()!.add(change, optionsOf(request)));
    return refusal ? refuse(request.member, refusal) : receipt(request);
  };

  const keepAndAdd = async (request: CountRequest): Promise<UpdateReceipt | ToldRefusal> => {
    const change = request.change();
    const told = ask(request);
    if (told) return told;
    if (!change) return lost(request);
    const sum = context.sum()!;
    // Before it is added, which may scale it where it lies.
    const unfit = stats.timed(() => sum.check(change, request.head.numSamples));
    if (unfit) return refuse(request.member, unfit);
    await log.putBlob(
      updateBlob(sum.round, sum.count),
      request.message?.() ?? messageOf({ change, head: request.head, length: sum.length }),
    );
    // Its round may have closed, and another one of the same number have opened.
    return context.sum() === sum ? addNow(request) : keepAndAdd(request);
  };

  return async (request) => {
    if (!keepUpdates && !context.sum()?.keepsUpdates) return addNow(request);
    const turn = queue.then(() => keepAndAdd(request));
    queue = turn.catch(() => {});
    return turn;
  };
}

/** A change that came in memory, as a message. */
function messageOf({
  change,
  head,
  length,
}: {
  readonly change: ModelUpdate;
  readonly head: CountRequest["head"];
  readonly length: number;
}): Uint8Array {
  const { values } = change;
  const part = (array: Float32Array | Uint16Array | Int8Array | Uint32Array): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (change.encoding !== "topk")
    return writeUpdateMessage({
      head: {
        ...head,
        encoding: change.encoding,
        length,
        ...(change.encoding === "int8" && { scale: change.scale }),
      },
      payload: part(values),
    });
  const payload = new Uint8Array(8 * values.length);
  payload.set(part(change.indices));
  payload.set(part(values), 4 * values.length);
  return writeUpdateMessage({ head: { ...head, encoding: "topk", length, entries: values.length }, payload });
}
