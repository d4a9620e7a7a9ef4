import type {
  ClientResources,
  FederationPlan,
  FederationStatus,
  FederationTask,
  SecurePhase,
  UpdateReceipt,
  UpdateRefusal,
} from "@sedna-js/core";
import type { ModelUpdate } from "@sedna-js/wasm-kernels";

/** A client that is in a federation now. A newer epoch of the same client fences an older one. */
export interface Member {
  readonly client: string;
  readonly epoch: number;
}

/** One federation: rounds, their sums, their models and their log, behind the calls that HTTP, sockets and Sedna's protocol share. */
export interface Federation {
  readonly plan: FederationPlan;
  /** Opens its log and goes on where it was. */
  start(): Promise<void>;
  status(): FederationStatus;
  join(
    member: Member & {
      readonly kind: "sedna-js" | "sedna-v1";
      readonly numSamples: number;
      readonly resources: ClientResources;
    },
  ): void;
  leave(member: Member): void;
  /** The newest session of a client that it knows, from before a restart too. */
  epochOf(client: string): number | undefined;
  /** What a member is to do now. */
  task(member: Member): FederationTask;
  /** Told whenever a member's task has another `seq`; returns what ends that. */
  onTask(member: Member, listener: (task: FederationTask) => void): () => void;
  /** The flat parameters of a version that is kept: the newest and those that open rounds started from. */
  model(version: number): { readonly parameters: Float32Array; readonly sha256: string } | undefined;
  /**
   * Takes an update's message in pieces, whole or from an offset on. Order of the checks: round, length, digest, shape,
   * finite, norm, weight; each refusal but lateness is a strike. A part that ends before the whole is here is kept for a while:
   * `counted` is false then, and {@link received} says where to go on.
   * @throws {SednaError} `cloud-busy`, with when to come back, where too many updates are on their way; `cloud-timeout` when the pieces stop coming.
   */
  receive(
    member: Member,
    upload: UpdateUpload,
  ): Promise<
    UpdateReceipt | { readonly refused: UpdateRefusal; readonly error: string; readonly round: number }
  >;
  /** How much of a member's update for a round is here. */
  received(member: Member, round: number): number;
  /**
   * Waits until the member's update for a round would be taken at once, so that it need not wait with all its bytes; and says how much of it is here.
   * @throws {SednaError} `cloud-busy`, with when to come back, where that takes too long; the signal's reason.
   */
  admit(member: Member, options: { readonly round: number; readonly signal?: AbortSignal }): Promise<number>;
  /** Takes an update that is in memory already, such as one of Sedna's protocol; the same checks from its shape on. */
  count(
    member: Member,
    update: {
      readonly change: ModelUpdate;
      readonly numSamples: number;
      readonly round: number;
      readonly modelVersion: number;
      readonly bytes: number;
      readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
    },
  ): Promise<
    UpdateReceipt | { readonly refused: UpdateRefusal; readonly error: string; readonly round: number }
  >;
  /** Takes the body of a secure sum's answer. `counted`: it was taken for what it is. Malformed ones are strikes. */
  receiveSecure(
    member: Member,
    answer: { readonly phase: SecurePhase; readonly body: Uint8Array },
  ): UpdateReceipt | { readonly refused: UpdateRefusal; readonly error: string; readonly round: number };
  /** Most bytes of such an answer; 0 where updates are not summed so. */
  maxSecureBytes(phase: SecurePhase): number;
  /** Told after each round, with the new model's version. */
  onRound(
    listener: (closed: {
      readonly round: number;
      readonly modelVersion: number;
      readonly outcome: "aggregated" | "abandoned";
      readonly totalSamples: number;
      readonly done: boolean;
    }) => void,
  ): () => void;
  stats(): FederationStats;
  /** Writes what it has, and ends. */
  close(): Promise<void>;
}

/** What a federation did since its process began, and how it is now. */
export interface FederationStats {
  readonly counted: number;
  /** Bytes of updates that came. */
  readonly bytes: number;
  readonly refused: Readonly<Partial<Record<UpdateRefusal, number>>>;
  readonly aggregated: number;
  readonly abandoned: number;
  readonly modelVersion: number;
  /** Time spent in checking and adding updates. */
  readonly busyMs: number;
  /** Uploads that wait for a place in memory, and that have one. */
  readonly waiting: number;
  readonly taken: number;
  /** Clients that listen for their task: by a WebSocket, or a question that is kept. */
  readonly listeners: number;
  /** False while its log takes nothing. */
  readonly healthy: boolean;
  /** A round's model is being made: nothing is counted until it is there. */
  readonly closing: boolean;
  /** How long the open round has been. */
  readonly openForMs?: number;
}

/** An update on its way in. */
export interface UpdateUpload {
  readonly round: number;
  /** First byte of this part. */
  readonly offset: number;
  /** Bytes of the whole message. */
  readonly total: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}
