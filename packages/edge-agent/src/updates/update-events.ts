import { type PlainError, SednaError } from "@sedna-js/core";

/** Why a version was rejected or rolled back. */
export type ModelRejection =
  | "untrusted"
  /** The version is older than one that this device has seen, and is not a signed rollback. */
  | "outdated"
  | "unreadable"
  | "does-not-open"
  | "golden-mismatch"
  | "shadow-errors"
  | "shadow-slower"
  | "shadow-disagrees"
  | "errors"
  | "slower"
  | "metric"
  /** `rollback()` was called. */
  | "asked";

/** Events of the updater, in the order in which they occur for a version. */
export type UpdateEvent =
  | { readonly type: "update-found"; readonly model: string; readonly from: number; readonly version: number }
  | { readonly type: "update-staged"; readonly model: string; readonly version: number; readonly ms: number }
  | {
      readonly type: "update-checked";
      readonly model: string;
      readonly version: number;
      readonly goldenCases: number;
    }
  | {
      readonly type: "update-shadowed";
      readonly model: string;
      readonly version: number;
      /**
       * Number of live frames processed by both models. 0 if none arrived in time: only the golden cases were
       * checked.
       */
      readonly frames: number;
      /** Mean over the frames, in [0,1]. */
      readonly agreement?: number;
      /** Ratio of the median durations, new to old. */
      readonly latencyRatio?: number;
    }
  | {
      readonly type: "update-swapped";
      readonly model: string;
      readonly from: number;
      readonly version: number;
    }
  | {
      readonly type: "update-confirmed";
      readonly model: string;
      readonly version: number;
      /** Number of live frames during the probation; 0 if none arrived in time. */ readonly frames: number;
    }
  /** `version` is absent if the manifest itself was rejected: its content is not trusted. */
  | {
      readonly type: "update-rejected";
      readonly model: string;
      readonly version?: number;
      readonly rejection: ModelRejection;
      readonly error: PlainError;
    }
  | {
      readonly type: "update-rolled-back";
      readonly model: string;
      readonly from: number;
      readonly to: number;
      readonly rejection: ModelRejection;
      readonly error: PlainError;
    }
  /** No decision: the network or the storage failed. The next check tries again. */
  | {
      readonly type: "update-postponed";
      readonly model: string;
      readonly version?: number;
      readonly error: PlainError;
    };

/** Result of a check for a new version. */
export type UpdateOutcome =
  /** There is no newer version. */
  | { readonly result: "current"; readonly version: number }
  | { readonly result: "confirmed"; readonly version: number }
  | {
      readonly result: "rolled-back";
      readonly version: number;
      readonly rejection: ModelRejection;
      readonly error: PlainError;
    }
  | {
      readonly result: "rejected";
      readonly version?: number;
      readonly rejection: ModelRejection;
      readonly error: PlainError;
    }
  /** The newest version was already marked bad. */
  | { readonly result: "known-bad"; readonly version: number }
  /** No decision. The next check tries again. */
  | {
      readonly result: "postponed";
      readonly version?: number;
      readonly error: PlainError;
      readonly retryAfterMs?: number;
    };

/**
 * Returns whether an error is transient: it says nothing about the version, and the next check may succeed.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof SednaError)) return false;
  // A model that no backend supports will not be supported later, unless the cause is another failure.
  if (error.code === "edge-unavailable") return isTransient(error.cause);
  return (
    error.retryable ||
    error.code === "missing-dependency" ||
    error.code === "storage-failed" ||
    error.code === "storage-full"
  );
}
