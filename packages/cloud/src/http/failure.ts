import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { Logger } from "./service.ts";

/** A failure as an HTTP response: status, message for the client, and headers such as `retry-after`. */
export interface Failure {
  readonly status: 400 | 499 | 500 | 503;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Maps an error to HTTP: client errors to 400, an aborted request to 499, a full queue or a shutdown to 503,
 * and all others to 500 and the log.
 */
export function toFailure(
  error: unknown,
  { logger, aborted }: { readonly logger: Logger; readonly aborted: boolean },
): Failure {
  if (aborted) return { status: 499, message: "client closed the request", headers: {} };
  if (error instanceof SednaError) {
    if (error.code === "wire-format") return { status: 400, message: error.message, headers: {} };
    if (error.code === "cloud-busy" || error.code === "disposed") {
      const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
      return { status: 503, message: error.message, headers: { "retry-after": String(seconds) } };
    }
  }
  logger.error({ error: messageOf(error) }, "a request failed");
  return { status: 500, message: "the model failed; see the server's log", headers: {} };
}
