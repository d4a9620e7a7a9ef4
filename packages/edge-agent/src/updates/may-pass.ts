import { SednaError } from "@sedna-js/core";

/** True for an error that says nothing of a version: the same may succeed at the next check. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof SednaError)) return false;
  // A model that no backend here takes is taken by none tomorrow, unless it was not the model that failed.
  if (error.code === "edge-unavailable") return mayPass(error.cause);
  return (
    error.retryable ||
    error.code === "missing-dependency" ||
    error.code === "storage-failed" ||
    error.code === "storage-full"
  );
}
