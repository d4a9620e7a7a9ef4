import type { PlainError } from "@sedna-js/core";

/** Events of a reporter. */
export type ReportEvent =
  | { readonly type: "report-sent"; readonly kind: "inference" | "deploy" }
  /** Nothing is lost: totals go with the next report, and so does the last deploy. */
  | { readonly type: "report-failed"; readonly kind: "inference" | "deploy"; readonly error: PlainError };
