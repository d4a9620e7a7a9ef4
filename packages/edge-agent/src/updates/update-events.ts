import type { PlainError } from "@sedna-js/core";

/** Why a version was not taken, or taken back. */
export type UpdateRefusal = "untrusted" | "unreadable" | "does-not-open" | "golden-mismatch" | "shadow-errors" | "shadow-slower" | "shadow-disagrees" | "errors" | "slower" | "metric";

/** What the updater tells, in the order in which it happens to a version. */
export type UpdateEvent =
  | { readonly type: "update-found"; readonly model: string; readonly from: number; readonly version: number }
  | { readonly type: "update-staged"; readonly model: string; readonly version: number; readonly ms: number }
  | { readonly type: "update-checked"; readonly model: string; readonly version: number; readonly goldenCases: number }
  | { readonly type: "update-shadowed"; readonly model: string; readonly version: number; readonly frames: number; readonly agreement: number; /** New over old, medians. */ readonly latencyRatio: number }
  | { readonly type: "update-swapped"; readonly model: string; readonly from: number; readonly version: number }
  | { readonly type: "update-confirmed"; readonly model: string; readonly version: number }
  | { readonly type: "update-rejected"; readonly model: string; readonly version: number; readonly refusal: UpdateRefusal; readonly error: PlainError }
  | { readonly type: "update-rolled-back"; readonly model: string; readonly from: number; readonly to: number; readonly refusal: UpdateRefusal; readonly error: PlainError };
