import type { Head, UpdateEncoding } from "@sedna-js/wasm-kernels";
import type { LayerSpec, TrainingPlan } from "../training/training-plan.ts";

// What a federation's aggregator and its clients say to each other. Control is JSON, over a WebSocket or by polling;
// models and updates are bytes over HTTP. All below `/v1/federations/<name>`:
//
//   GET    /                       FederationStatus, for people and pages
//   POST   /sessions               SessionRequest -> 201 SessionGrant; a session fences its device's former one
//   DELETE /sessions               leaves
//   GET    /task?after=N&wait=S    FederationTask, at once when it is newer than N, else within S seconds
//   WS     /control                first frame {"type":"hello","token":...}, then a task whenever it changes
//   GET    /models/<version>       the flat parameters, float32 little-endian; ETag is their SHA-256; Range
//   HEAD   /rounds/<round>/update  Upload-Offset: how much of this session's update is here; asked before a long one is sent, it is answered
//                                  when there is a place for it, or by 503 with Retry-After
//   PUT    /rounds/<round>/update  an update's message, whole or from that offset (Content-Range); -> UpdateReceipt
//   POST   /secure/<phase>         a message of the secure sum

/** What all clients of a federation agree on. */
export interface FederationPlan {
  readonly protocol: 1;
  readonly name: string;
  readonly layout: readonly LayerSpec[];
  /** The head that the layout is of, where it is one of ours. */
  readonly head?: Head;
  readonly training: TrainingPlan;
  /** The name of the aggregation, for people. */
  readonly aggregation: string;
  readonly mode: "rounds" | "buffered";
  /** `secure-sum`: the aggregator learns the sum of a round's updates and none of them. */
  readonly protection: "none" | "secure-aggregation";
  readonly encoding: UpdateEncoding;
  /** topk: share of the parameters that travels. */
  readonly topkShare?: number;
  /** Clients scale their update down to this length before it travels. */
  readonly clipNorm?: number;
  /** Sedna's exit_round: the last one; Infinity does not travel, 0 stands for no end. */
  readonly numRounds: number;
  /** Sedna's participants_count: the updates that a round wants. */
  readonly participants: number;
  /** Largest message of an update, in bytes. */
  readonly maxUpdateBytes: number;
  /** Most samples that one client counts for. */
  readonly maxNumSamples: number;
}

/** What a device is good for, for a choice of clients by resources. All optional: what is not known is not claimed. */
export interface ClientResources {
  readonly cores?: number;
  readonly memoryMb?: number;
  readonly backend?: string;
  readonly charging?: boolean;
  /** Parameters times samples times epochs a second, measured. */
  readonly speed?: number;
}

/** Asks for a session. */
export interface SessionRequest {
  readonly protocol: 1;
  /** The device's id; its own words in an open federation, else what its enrolment gave. */
  readonly device: string;
  readonly numSamples: number;
  readonly resources?: ClientResources;
  /** Signed by the device's key over the canonical JSON of `{ audience, device, nonce, at }`; an open federation asks for none. */
  readonly proof?: { readonly at: number; readonly nonce: string; readonly signature: string };
}

/** A session of a device. There is one a device: the newer one fences the older. */
export interface SessionGrant {
  readonly token: string;
  /** Seconds until the token ends; a new session goes on where this one was. */
  readonly expiresIn: number;
  readonly epoch: number;
  /** Server's clock, unix ms. */
  readonly now: number;
  readonly plan: FederationPlan;
}

/** What a client is to do now. `seq` grows with every change. */
export type FederationTask =
  | {
      readonly kind: "wait";
      readonly seq: number;
      readonly round: number;
      readonly modelVersion: number;
      /** When to ask again, where a client polls. */ readonly retryAfterMs: number;
    }
  | {
      readonly kind: "train";
      readonly seq: number;
      readonly round: number;
      /** The model to start from. */
      readonly modelVersion: number;
      /** Until the round closes, counted from when this was said. */
      readonly remainingMs: number;
      /** Whether this device's update is part of the round already. False again after a restart that lost it: the same update is then sent once more. */
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

/** The steps of a secure sum. */
export type SecurePhase = "keys" | "shares" | "masked" | "unmask";

/** What became of an update. */
export interface UpdateReceipt {
  readonly round: number;
  readonly accepted: boolean;
  /** It was counted before. */
  readonly duplicate?: boolean;
}

/** Why an update was not taken, in the order in which it is asked. */
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

/** The body of a refusal. */
export interface UpdateRejection {
  readonly error: string;
  readonly code: RejectionCode;
  /** The round that is open now. */
  readonly round?: number;
}

/** The head of an update's message; its numbers are changes: what the client's training added to the round's model. */
export interface UpdateHead {
  readonly round: number;
  /** The model that was trained on. */
  readonly modelVersion: number;
  readonly encoding: UpdateEncoding;
  /** Parameters of the model, not numbers in the payload. */
  readonly length: number;
  readonly numSamples: number;
  /** int8: what the numbers are multiplied by. */
  readonly scale?: number;
  /** topk: numbers in the payload. */
  readonly entries?: number;
  /** The kernels' `checksum` of the payload: what finds a flipped bit; who may send is the session's business. */
  readonly checksum: number;
  readonly metrics?: { readonly loss?: number; readonly accuracy?: number };
}

/** An update as it travels: 4 bytes of head length, the head as JSON padded with spaces to a multiple of 8 in all, the payload. */
export interface UpdateMessage {
  readonly head: UpdateHead;
  /** f32 and f16 and int8: `length` numbers. topk: `entries` indices as uint32, then `entries` values as float32. Little-endian. A view, not a copy. */
  readonly payload: Uint8Array;
}

/** How a federation stands. */
export interface FederationStatus {
  readonly plan: FederationPlan;
  readonly state: "waiting" | "running" | "done";
  readonly round: number;
  readonly modelVersion: number;
  readonly remainingMs?: number;
  readonly clients: readonly FederationClientStatus[];
  /** One entry a closed round, the newest last; at most 1000. */
  readonly history: readonly RoundSummary[];
  /** What was spent of the privacy budget so far. */
  readonly privacy?: { readonly epsilon: number; readonly delta: number; readonly noiseMultiplier: number };
}

/** A client as others may see it. */
export interface FederationClientStatus {
  /** Of this federation only; not the device's id. */
  readonly id: number;
  readonly state: "idle" | "training" | "accepted" | "dropped" | "quarantined" | "left";
  readonly kind: "sedna-js" | "sedna-v1";
  readonly rounds: number;
  readonly strikes: number;
}

/** What became of a round. */
export interface RoundSummary {
  readonly round: number;
  readonly outcome: "aggregated" | "abandoned";
  readonly selected: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly totalSamples: number;
  readonly durationMs: number;
  readonly bytes: number;
  /** Means of what clients told of their training, weighted by samples. */
  readonly loss?: number;
  readonly accuracy?: number;
  readonly epsilon?: number;
}

/** Media type of an update's message. */
export const UPDATE_TYPE = "application/vnd.sedna.update";
