import { checkUpload, getClient } from "@sedna-js/core/federation";
import {
  writeUpdateMessage,
  type FederationPlan,
  type UpdateHead,
  type UpdateReceipt,
} from "@sedna-js/core/wire";
import type { ModelUpdate } from "@sedna-js/wasm-kernels";
import type { StatsCounter } from "./federation-stats.ts";
import type { RejectedUpdate, SubmittedUpdate, UpdateOutcome, UpdateUpload } from "./federation.ts";
import { updateBlob } from "./log/blob-names.ts";
import type { FederationLog } from "./log/federation-log.ts";
import type { Rounds } from "./rounds/create-rounds.ts";
import type { Member } from "./sessions/member.ts";
import { decodeUpload } from "./updates/decode-upload.ts";
import { checkShape, rejection, type Rejection, type UpdateLimits } from "./updates/validate-update.ts";
import { receiveUpload } from "./uploads/receive-upload.ts";
import type { UploadSlots } from "./uploads/upload-slots.ts";

// The way of an update, one stage after the other. No stage calls back into an earlier one:
//
//   admit: checkEligibility(state): may this client send an update for this round?
//   receive: receiveUpload(slots): bytes into a slot of kernel memory
//   decode: decodeUpload(message): head, checksum, shape; once
//   validate: accumulator.check: finite numbers, norm, sample count
//   accept: accumulator.add: the update becomes part of the round's sum
//   dispatch: rounds.dispatch: the event "accepted"; subscribers follow
//
// Waiting happens between the stages only. After each wait the round may be over, so eligibility is checked
// again in the same synchronous turn in which the update is added and the event is dispatched: what the state
// says is accepted and what the accumulator holds never differ. The rejection of an update that was received
// becomes the event "rejected"; the reducer decides whether it is a strike. If updates are kept for an audit
// or for a rule that needs them all, they are written one at a time, each under its index among the
// accepted, before they are added.

/** An update on its way to the accumulator. */
interface PendingUpdate {
  readonly member: Member;
  readonly head: Pick<UpdateHead, "round" | "modelVersion" | "numSamples" | "metrics">;
  readonly digest: string;
  readonly bytes: number;
  /**
   * The numbers; `undefined` if the slot has been given to another upload meanwhile. Called again after each
   * wait.
   */
  readonly update: () => ModelUpdate | undefined;
  /** The message as it was sent, copied; absent for an update that was submitted in memory. */
  readonly message?: () => Uint8Array;
}

/** Options of {@link createUpdatePipeline}. */
export interface UpdatePipelineOptions {
  readonly rounds: Rounds;
  readonly slots: UploadSlots;
  readonly plan: FederationPlan;
  readonly limits: UpdateLimits;
  readonly log: FederationLog;
  readonly keepUpdates: boolean;
  readonly stats: StatsCounter;
  readonly now: () => number;
}

/** The stages that an update passes; created by {@link createUpdatePipeline}. */
export interface UpdatePipeline {
  /**
   * Waits for an upload slot if the member may send an update for the round. Returns the offset to send from.
   */
  admit(
    member: Member,
    options: { readonly round: number; readonly signal?: AbortSignal | undefined },
  ): Promise<number>;
  receive(member: Member, upload: UpdateUpload): Promise<UpdateOutcome>;
  submit(member: Member, update: SubmittedUpdate): Promise<UpdateOutcome>;
  /** Rejects a message of a member and dispatches the strike. */
  reject(member: Member, rejection: Rejection): RejectedUpdate;
}

/** Creates the pipeline of a federation's updates. */
export function createUpdatePipeline(options: UpdatePipelineOptions): UpdatePipeline {
  const { rounds, slots, plan, limits, log, keepUpdates, stats, now } = options;
  const isSecure = plan.protection === "secure-aggregation";
  let keeping: Promise<unknown> = Promise.resolve();

  const activeRound = (): number => rounds.state.open?.round ?? rounds.state.round;

  /**
   * Why the active round does not accept an update now. None of these is a strike; a duplicate is
   * acknowledged.
   */
  const checkEligibility = (
    member: Member,
    target: { readonly round: number; readonly modelVersion?: number },
  ): UpdateOutcome | undefined => {
    const code = isSecure ? "not-selected" : checkUpload(rounds.state, { ...member, ...target });
    if (code === undefined) return undefined;
    if (code === "duplicate") return { round: target.round, accepted: true, duplicate: true };
    stats.rejected(code);
    const error = rejection(code, { expected: "one that the active round waits for", got: code });
    return { ...error, round: activeRound() };
  };

  const reject = ({ client }: Member, { rejected, error }: Rejection): RejectedUpdate => {
    stats.rejected(rejected);
    if (getClient(rounds.state.clients, client))
      rounds.dispatch({ type: "rejected", at: now(), client, round: activeRound(), code: rejected });
    return { rejected, error, round: activeRound() };
  };

  const lost = (round: number): UpdateReceipt => ({ round, accepted: false });

  /** Validates, adds, and dispatches in one turn. */
  const addNow = ({ member, head, update, digest, bytes }: PendingUpdate): UpdateOutcome => {
    const values = update();
    if (!values) return lost(head.round);
    const early = checkEligibility(member, head);
    if (early) return early;
    const { round, modelVersion, numSamples: weight, metrics } = head;
    const { client } = member;
    const staleness = Math.max(0, (rounds.state.open?.modelVersion ?? 0) - modelVersion);
    const invalid = stats.timed(() =>
      rounds.accumulator!.add(values, { client, numSamples: weight, staleness }),
    );
    if (invalid) return reject(member, invalid);
    const event = {
      type: "accepted",
      at: now(),
      client,
      round,
      modelVersion,
      weight,
      bytes,
      digest,
    } as const;
    rounds.dispatch(metrics ? { ...event, metrics } : event);
    stats.accepted();
    return { round, accepted: true };
  };

  /** Writes the message under its index among the accepted updates, then adds it. */
  const keepAndAdd = async (pending: PendingUpdate): Promise<UpdateOutcome> => {
    const { member, head } = pending;
    const early = checkEligibility(member, head);
    if (early) return early;
    const values = pending.update();
    if (!values) return lost(head.round);
    const accumulator = rounds.accumulator!;
    // Validated before it is written, and before clipping scales it in place.
    const invalid = stats.timed(() => accumulator.check(values, head.numSamples));
    if (invalid) return reject(member, invalid);
    const message = pending.message?.() ?? messageFor({ update: values, head, length: accumulator.length });
    await log.putBlob(updateBlob(accumulator.round, accumulator.count), message);
    // The round may have closed, and another one of the same number may be active.
    return rounds.accumulator === accumulator ? addNow(pending) : keepAndAdd(pending);
  };

  const accept = async (pending: PendingUpdate): Promise<UpdateOutcome> => {
    if (!keepUpdates && !rounds.accumulator?.keepsUpdates) return addNow(pending);
    const turn = keeping.then(() => keepAndAdd(pending));
    keeping = turn.catch(() => {});
    return turn;
  };

  return {
    reject,
    async admit(member, { round, signal }) {
      // A client that would be rejected does not wait for a slot.
      if (checkEligibility(member, { round }) === undefined) await slots.admit(member, { signal });
      return slots.received(member, round);
    },
    async receive(member, upload) {
      const { round, total } = upload;
      const early = checkEligibility(member, { round });
      if (early) return early;
      if (total > plan.maxUpdateBytes)
        return reject(
          member,
          rejection("too-long", { expected: `at most ${plan.maxUpdateBytes} bytes`, got: total }),
        );
      const received = await receiveUpload({ slots, member, upload, onBytes: stats.bytes });
      if (received.kind === "rejected") return reject(member, received.rejection);
      if (received.kind !== "whole") return checkEligibility(member, { round }) ?? lost(round);
      const { slot } = received;
      try {
        const decoded = stats.timed(() =>
          decodeUpload(slot.buffer, { round, limits, kernels: rounds.kernels }),
        );
        if ("rejected" in decoded) return checkEligibility(member, { round }) ?? reject(member, decoded);
        return await accept({
          member,
          head: decoded.head,
          digest: decoded.digest,
          bytes: total,
          update: () => (slot.cut ? undefined : decoded.update()),
          message: () => slot.buffer.bytes.slice(),
        });
      } finally {
        slot.free();
      }
    },
    async submit(member, { update, numSamples, round, modelVersion, bytes, metrics }) {
      const early = checkEligibility(member, { round, modelVersion });
      if (early) return early;
      const invalid = checkShape(update, limits);
      if (invalid) return reject(member, invalid);
      // A client of Sedna's protocol receives no plan and so cannot keep to its limit.
      const isSedna = getClient(rounds.state.clients, member.client)!.kind === "sedna-v1";
      const weight = isSedna ? Math.min(numSamples, limits.maxNumSamples) : numSamples;
      const head = { round, modelVersion, numSamples: weight, metrics };
      return accept({ member, head, digest: "", bytes, update: () => update });
    },
  };
}

interface SubmittedMessage {
  readonly update: ModelUpdate;
  readonly head: PendingUpdate["head"];
  readonly length: number;
}

/** The message of an update that was submitted in memory. */
function messageFor({ update, head, length }: SubmittedMessage): Uint8Array {
  const { values, encoding } = update;
  if (encoding !== "topk") {
    const scale = encoding === "int8" ? { scale: update.scale } : {};
    return writeUpdateMessage({ head: { ...head, encoding, length, ...scale }, payload: viewBytes(values) });
  }
  const payload = new Uint8Array(8 * values.length);
  payload.set(viewBytes(update.indices));
  payload.set(viewBytes(values), 4 * values.length);
  return writeUpdateMessage({ head: { ...head, encoding, length, entries: values.length }, payload });
}

const viewBytes = (array: Float32Array | Uint16Array | Int8Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
