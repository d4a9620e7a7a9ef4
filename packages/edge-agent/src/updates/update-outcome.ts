import type { PlainError } from "@sedna-js/core";
import type { UpdateRefusal } from "./update-events.ts";

/** What came of a look for a new version. */
export type UpdateOutcome =
  /** There is none. */
  | { readonly result: "current"; readonly version: number }
  | { readonly result: "confirmed"; readonly version: number }
  | {
      readonly result: "rolled-back";
      readonly version: number;
      readonly refusal: UpdateRefusal;
      readonly error: PlainError;
    }
  | {
      readonly result: "rejected";
      readonly version?: number;
      readonly refusal: UpdateRefusal;
      readonly error: PlainError;
    }
  /** The newest version was found bad before. */
  | { readonly result: "known-bad"; readonly version: number }
  /** Nothing was decided; the next check tries again. */
  | {
      readonly result: "postponed";
      readonly version?: number;
      readonly error: PlainError;
      readonly retryAfterMs?: number;
    };
