import type {
  ClientResources,
  FederationPlan,
  FederationStatus,
  FederationTask,
  RejectionCode,
  SecurePhase,
  UpdateReceipt,
} from "@sedna-js/core/wire";
import type { ModelUpdate } from "@sedna-js/wasm-kernels";
import type { Member } from "./sessions/member.ts";
import type { Rejection } from "./updates/validate-update.ts";

/** A client that joins a federation, with what client selection may use. */
export interface JoiningMember extends Member {
  readonly kind: "sedna-js" | "sedna-v1";
  readonly numSamples: number;
  readonly resources: ClientResources;
}

/** Part or all of an update message on its way in. */
export interface UpdateUpload {
  readonly round: number;
  /** Offset of the first byte of this part. */
  readonly offset: number;
  /** Size of the whole message, in bytes. */
  readonly total: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** An update that is decoded already, such as one of Sedna's own protocol. */
export interface SubmittedUpdate {
  readonly update: ModelUpdate;
  readonly numSamples: number;
  readonly round: number;
  readonly modelVersion: number;
  readonly bytes: number;
  readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
}

/** Why an update was rejected, and the active round. */
export interface RejectedUpdate extends Rejection {
  readonly round: number;
}

/** How an update or a message of secure aggregation was received. */
export type UpdateOutcome = UpdateReceipt | RejectedUpdate;

/** A message of secure aggregation. */
export interface SecureAnswerBody {
  readonly phase: SecurePhase;
  readonly body: Uint8Array;
}

/** A round that has closed. */
export interface ClosedRound {
  readonly round: number;
  /** The newest model's version. */
  readonly modelVersion: number;
  readonly outcome: "aggregated" | "abandoned";
  readonly totalSamples: number;
  /** True if this was the last round. */
  readonly done: boolean;
}

/** A model version that clients may fetch. */
export interface ServedVersion {
  readonly parameters: Float32Array;
  readonly sha256: string;
}

/** Counters of a federation since its process started, and its present state. */
export interface FederationStats {
  readonly accepted: number;
  /** Bytes of updates received. */
  readonly bytes: number;
  readonly rejected: Readonly<Partial<Record<RejectionCode, number>>>;
  readonly aggregated: number;
  readonly abandoned: number;
  readonly modelVersion: number;
  /** Time spent checking and adding updates, in ms. */
  readonly busyMs: number;
  /** Uploads that wait for a slot. */
  readonly waiting: number;
  /** Uploads that hold a slot. */
  readonly taken: number;
  /** Clients that listen for their task, over a WebSocket or a long poll. */
  readonly listeners: number;
  /** False while the log cannot be written. */
  readonly healthy: boolean;
  /** True while a round's model is being made; no update is accepted meanwhile. */
  readonly closing: boolean;
  /** Age of the active round in ms. */
  readonly openForMs?: number;
}

/**
 * One federation: its rounds, models, and log, behind the calls that HTTP, WebSockets, and Sedna's protocol
 * share.
 */
export interface Federation {
  readonly plan: FederationPlan;
  /** Opens the log and resumes where it left off. */
  start(): Promise<void>;
  status(): FederationStatus;
  join(member: JoiningMember): void;
  leave(member: Member): void;
  /** The newest session epoch of a client, also from before a restart. */
  epochOf(client: string): number | undefined;
  /** The member's current task. */
  task(member: Member): FederationTask;
  /**
   * Calls the listener whenever the member's task gets another `seq`. Returns a function that unsubscribes.
   */
  onTask(member: Member, listener: (task: FederationTask) => void): () => void;
  /** A model version that is still kept: the newest, or one that a client trains on. */
  model(version: number): ServedVersion | undefined;
  /**
   * Receives an update message, whole or from an offset. Checks in this order: round, length, checksum,
   * shape, finiteness, norm, sample count. A malformed update is a strike; `unauthorized`,
   * `session-replaced`, `quarantined`, `not-selected`, `wrong-round`, `round-closed`, and `duplicate` are
   * none. An upload that breaks off keeps its slot for a while: the receipt says `accepted: false`, and
   * {@link received} gives the offset to resume at.
   *
   * @throws {SednaError} `cloud-busy` with a retry delay if too many uploads are under way.
   * @throws {SednaError} `cloud-timeout` if the data stops coming.
   */
  receive(member: Member, upload: UpdateUpload): Promise<UpdateOutcome>;
  /** Bytes of the member's update for a round that have arrived. */
  received(member: Member, round: number): number;
  /**
   * Waits until an upload slot would be free for the member, so that the client need not wait with its data,
   * and returns the offset to send from.
   *
   * @throws {SednaError} `cloud-busy` with a retry delay if that takes too long.
   * @throws The signal's reason.
   */
  admit(member: Member, options: { readonly round: number; readonly signal?: AbortSignal }): Promise<number>;
  /**
   * Validates and accepts an update that is in memory already; the same checks as {@link receive} from its
   * shape on.
   */
  submit(member: Member, update: SubmittedUpdate): Promise<UpdateOutcome>;
  /** Receives a message of secure aggregation. A malformed one is a strike. */
  receiveSecure(member: Member, answer: SecureAnswerBody): UpdateOutcome;
  /** Size limit of such a message in bytes; 0 without secure aggregation. */
  maxSecureBytes(phase: SecurePhase): number;
  /** Calls the listener after each round. Returns a function that unsubscribes. */
  onRound(listener: (closed: ClosedRound) => void): () => void;
  stats(): FederationStats;
  /** Writes what is pending and closes the log. */
  close(): Promise<void>;
}
