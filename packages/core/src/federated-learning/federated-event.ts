import type { ErrorCode } from "../errors.ts";
import type { TrainingProgress, TrainingReport } from "../training/train-options.ts";
import type { FederationPlan, RejectionCode } from "../wire/federation.ts";

/**
 * Why a round continued without this client's update: the rejection code of the aggregator, or
 * - `superseded`: the next round started before the update was trained and sent;
 * - `unanswered`: the update was sent, and the next round started before a response arrived;
 * - `training-failed`: there was no update to send.
 */
export type MissedReason = RejectionCode | "superseded" | "unanswered" | "training-failed";

/** An event that a federation's client emits. */
export type FederatedEvent =
  /** A session began; also emitted when a new session follows one that ended. */
  | { readonly type: "joined"; readonly epoch: number; readonly plan: FederationPlan }
  /**
   * Nothing to do now: the next round has not started, other clients were selected for it, or this client is
   * in quarantine.
   */
  | { readonly type: "waiting"; readonly round: number; readonly modelVersion: number }
  /** A round has closed with a new model. */
  | { readonly type: "round"; readonly round: number; readonly modelVersion: number }
  | {
      readonly type: "training";
      readonly round: number;
      readonly modelVersion: number;
      readonly progress?: TrainingProgress;
    }
  | { readonly type: "trained"; readonly round: number; readonly report: TrainingReport }
  /** The update was received; a following event reports whether it is accepted. */
  | { readonly type: "sent"; readonly round: number; readonly bytes: number }
  /** The update is part of the round. `again`: this was already reported before. */
  | { readonly type: "accepted"; readonly round: number; readonly again: boolean }
  | { readonly type: "missed"; readonly round: number; readonly why: MissedReason; readonly message: string }
  /** Training is paused: the battery is low, the page is hidden, ... */
  | { readonly type: "paused" }
  | { readonly type: "resumed" }
  /** An attempt failed; the next one starts after `retryInMs`. */
  | {
      readonly type: "retrying";
      readonly action: string;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryInMs: number;
    }
  /** The residual of an encoding could not be read or stored; the next updates are slightly less exact. */
  | { readonly type: "storage-failed"; readonly message: string }
  /** The federation is done, and the estimator has its final model. */
  | { readonly type: "done"; readonly round: number; readonly modelVersion: number };

/** A snapshot of a client's state, for callers that do not read the events. */
export interface FederatedStatus {
  readonly state: "idle" | "joining" | "waiting" | "training" | "sending" | "paused" | "done" | "failed";
  /** Latest round that the client knows of. */
  readonly round: number;
  readonly modelVersion: number;
  /** Number of rounds that accepted this client's update; `missed` is the number of rounds that did not. */
  readonly accepted: number;
  readonly missed: number;
  /** Total size of the updates that the aggregator accepted or rejected, in bytes. */
  readonly bytesSent: number;
}
