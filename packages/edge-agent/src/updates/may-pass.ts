import { SednaError } from "@sedna-js/core";

/** True for an error that says nothing of a version: the same may succeed at the next check. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof SednaError)) return false;
  // A model that no backend here takes will be taken by none tomorrow, though another model might.
  return error.code === "missing-dependency" || error.code === "storage-failed" || error.code === "storage-full" || (error.retryable && error.code !== "edge-unavailable");
}
