import type { Head, UpdateEncoding } from "@sedna-js/wasm-kernels";
import type { LayerSpec, TrainingPlan } from "../training/training-plan.ts";

// Messages between a federation's aggregator and its clients. Control messages are JSON, over a WebSocket or
// by polling; models and updates are bytes over HTTP. All paths are below `/v1/federations/<name>`:
//
//   GET / FederationStatus, for people and pages
//   POST /sessions SessionRequest -> 201 SessionGrant; a session replaces the former one of its device
//   DELETE /sessions ends the session
//   GET /task?after=N&wait=S FederationTask, immediately if it is newer than N, otherwise within S seconds
//   WS /control first frame {"type":"hello","token":...}, then a task whenever it changes
//   GET /models/<version> the flat parameters, float32 little-endian; ETag is their SHA-256; Range
//   HEAD /rounds/<round>/update Upload-Offset: received bytes of this session's update; sent before a long
//   upload, the response
//                                  arrives when a slot is free, or is 503 with Retry-After
//   PUT /rounds/<round>/update an update message, whole or from that offset (Content-Range); -> UpdateReceipt
//   POST /secure/<phase> a message of the secure aggregation

/** Settings that all clients of a federation share. */
export interface FederationPlan {
  readonly protocol: 1;
  readonly name: string;
  readonly layout: readonly LayerSpec[];
  /** The built-in head that the layout belongs to, if any. */
  readonly head?: Head;
  readonly training: TrainingPlan;
  /** Name of the aggregation, for people. */
  readonly aggregation: string;
  readonly mode: "rounds" | "buffered";
  /** `secure-aggregation`: the aggregator learns the sum of a round's updates, but no single update. */
  readonly protection: "none" | "secure-aggregation";
  readonly encoding: UpdateEncoding;
  /** topk: share of the parameters that is sent. */
  readonly topkShare?: number;
  /** Norm that clients clip their update to before sending it. */
  readonly clipNorm?: number;
  /** Number of the last round (Sedna's exit_round); 0 means no limit, because JSON has no Infinity. */
  readonly numRounds: number;
  /** Number of updates that a round aims for (Sedna's participants_count). */
  readonly participants: number;
  /** Maximum size of an update message, in bytes. */
  readonly maxUpdateBytes: number;
  /** Maximum number of samples that a client is weighted with. */
  readonly maxNumSamples: number;
}

/** Resources of a device, for client selection. All fields are optional: unknown values are omitted. */
export interface ClientResources {
  readonly cores?: number;
  readonly memoryMb?: number;
  readonly backend?: string;
  readonly charging?: boolean;
  /** Measured speed, in parameters times samples times epochs per second. */
  readonly speed?: number;
}

/** A request for a session. */
export interface SessionRequest {
  readonly protocol: 1;
  /**
   * ID of the device: chosen by the device in an unauthenticated federation, otherwise the result of its
   * enrollment.
   */
  readonly device: string;
  readonly numSamples: number;
  readonly resources?: ClientResources;
  /**
   * Signature of the device's key over the canonical JSON of `{ audience, device, nonce, at }`. An
   * unauthenticated federation requires none.
   */
  readonly proof?: { readonly at: number; readonly nonce: string; readonly signature: string };
}

/** A session of a device. A device has one session: a newer session replaces the older one. */
export interface SessionGrant {
  readonly token: string;
  /** Seconds until the token expires. A new session continues where this one ended. */
  readonly expiresIn: number;
  readonly epoch: number;
  /** Server time, in unix ms. */
  readonly now: number;
  readonly plan: FederationPlan;
}

/** The current task of a client. `seq` grows with every change. */
export type FederationTask =
  | {
      readonly kind: "wait";
      readonly seq: number;
      readonly round: number;
      readonly modelVersion: number;
      /** Delay before the next request of a polling client, in ms. */ readonly retryAfterMs: number;
    }
  | {
      readonly kind: "train";
      readonly seq: number;
      readonly round: number;
      /** Version of the model to start from. */
      readonly modelVersion: number;
      /** Time until the round closes when the task was sent, in ms. */
      readonly remainingMs: number;
      /**
       * Whether the round has already accepted this device's update. False again after a restart that lost
       * the update: the client then sends the same update again.
       */
      readonly accepted: boolean;
    }
  | {
      readonly kind: "secure";
      readonly seq: number;
      readonly round: number;
      readonly modelVersion: number;
      readonly remainingMs: number;
      readonly phase: SecurePhase;
      readonly message: unknown;
    }
  | { readonly kind: "done"; readonly seq: number; readonly round: number; readonly modelVersion: number };

/** The phases of secure aggregation. */
export type SecurePhase = "keys" | "shares" | "masked" | "unmask";

/** The response to an update. */
export interface UpdateReceipt {
  readonly round: number;
  readonly accepted: boolean;
  /** Whether the update had already been accepted. */
  readonly duplicate?: boolean;
}

/** Why an update was rejected, in the order in which the codes are checked. */
export type RejectionCode =
  | "unauthorized"
  | "session-replaced"
  | "quarantined"
  | "not-selected"
  | "wrong-round"
  | "round-closed"
  | "too-long"
  | "wrong-length"
  | "wrong-digest"
  | "wrong-shape"
  | "not-finite"
  | "norm-too-large"
  | "wrong-weight"
  | "duplicate";

/** The body of a rejection. */
export interface UpdateRejection {
  readonly error: string;
  readonly code: RejectionCode;
  /** Number of the active round. */
  readonly round?: number;
}

/**
 * The head of an update message. The payload holds weight differences: what the client's training added to
 * the round's model.
 */
export interface UpdateHead {
  readonly round: number;
  /** Version of the model that was trained. */
  readonly modelVersion: number;
  readonly encoding: UpdateEncoding;
  /** Number of the model's parameters, not of the numbers in the payload. */
  readonly length: number;
  readonly numSamples: number;
  /** int8: factor that the numbers are multiplied by. */
  readonly scale?: number;
  /** topk: number of numbers in the payload. */
  readonly entries?: number;
  /**
   * The kernels' `checksum` of the payload. It detects flipped bits; the session authenticates the sender.
   */
  readonly checksum: number;
  readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
}

/**
 * An update in wire format: 4 bytes of head length, the head as JSON padded with spaces to a multiple of 8 in
 * total, the payload.
 */
export interface UpdateMessage {
  readonly head: UpdateHead;
  /**
   * f32, f16 and int8: `length` numbers. topk: `entries` indices as uint32, then `entries` values as float32.
   * Little-endian. A view, not a copy.
   */
  readonly payload: Uint8Array;
}

/** Status of a federation. */
export interface FederationStatus {
  readonly plan: FederationPlan;
  readonly state: "waiting" | "running" | "done";
  readonly round: number;
  readonly modelVersion: number;
  readonly remainingMs?: number;
  readonly clients: readonly FederationClientStatus[];
  /** One entry per closed round, the latest last; at most 1000. */
  readonly history: readonly RoundSummary[];
  /** Privacy budget spent so far. */
  readonly privacy?: { readonly epsilon: number; readonly delta: number; readonly noiseMultiplier: number };
}

/** Public status of a client. */
export interface FederationClientStatus {
  /** ID within this federation only; not the device's ID. */
  readonly id: number;
  readonly state: "idle" | "training" | "accepted" | "dropped" | "quarantined" | "left";
  readonly kind: "sedna-js" | "sedna-v1";
  readonly rounds: number;
  readonly strikes: number;
}

/** Summary of a closed round. */
export interface RoundSummary {
  readonly round: number;
  readonly outcome: "aggregated" | "abandoned";
  readonly selected: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly totalSamples: number;
  readonly durationMs: number;
  readonly bytes: number;
  /** Means of the metrics that clients reported, weighted by samples. */
  readonly loss?: number;
  readonly accuracy?: number;
  readonly epsilon?: number;
}

/** Media type of an update message. */
export const UPDATE_TYPE = "application/vnd.sedna.update";
