import { SednaError, WireError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { Context } from "hono";
import type { ServiceContext } from "../../http/service.ts";

/** Options of {@link reject}. */
interface RejectOptions {
  readonly status: 400 | 401 | 403 | 404 | 408 | 409 | 413 | 429 | 500 | 503 | 507;
  readonly error: string;
  readonly code?: string;
  readonly headers?: Record<string, string>;
}

/** Responds with an error status. The message is for the client. */
export function reject(c: Context, { status, error, code, headers = {} }: RejectOptions): Response {
  return c.json({ error, code }, status, {
    "cache-control": "no-store",
    ...headers,
  });
}

/** Responds to an error of a federation with its status and code. */
export function tellError(
  c: Context,
  { error, logger }: { readonly error: unknown; readonly logger: ServiceContext["logger"] },
): Response {
  if (error instanceof WireError) return reject(c, { status: 400, error: error.message });
  if (error instanceof SednaError) {
    const retry = { "retry-after": String(Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000))) };
    switch (error.code) {
      case "session-ended":
        return reject(c, { status: 401, error: error.message, code: "unauthorized" });
      case "session-replaced":
        return reject(c, { status: 409, error: error.message, code: "session-replaced" });
      case "cloud-refused":
        return error.retryable
          ? reject(c, { status: 429, error: error.message, headers: retry })
          : reject(c, { status: 403, error: error.message });
      case "cloud-busy":
      case "disposed":
        return reject(c, { status: 503, error: error.message, headers: retry });
      case "cloud-timeout":
        return reject(c, { status: 408, error: error.message });
      case "storage-full":
        return reject(c, {
          status: 507,
          error: "there is no space for updates",
          headers: { "retry-after": "30" },
        });
      default:
    }
  }
  logger.error({ error: messageOf(error), path: c.req.path }, "a federation request failed");
  return reject(c, { status: 500, error: "the request failed; see the server log" });
}
