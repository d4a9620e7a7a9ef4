/** A command line that cannot be run; the message says which part. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
