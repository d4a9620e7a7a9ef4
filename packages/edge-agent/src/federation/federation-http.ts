import { SednaError, WireError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { parseUpdateRejection, type RejectionCode } from "@sedna-js/core/wire";
import { exchange, rejection, type Reply } from "../http/http-request.ts";
import { readJson } from "../http/read-json.ts";
import type { FederationSession } from "./federation-session.ts";

/** A request of a client to its aggregator. */
export interface FederationRequest {
  /** Action for error messages, such as "send the update". */
  readonly action: string;
  readonly method: string;
  /** Path below the federation, such as `/task?after=3`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly deadlineMs: number;
  readonly maxReplyBytes: number;
  /** If set, the request carries no session token. */
  readonly anonymous?: true;
  /** Called with an unsuccessful response before the error is thrown. */
  readonly onRefused?: (reply: Reply) => void;
  readonly signal: AbortSignal;
}

/** HTTP client of a federation's aggregator. See {@link federationHttp}. */
export interface FederationHttp {
  /** Returns the URL of a path below the federation. */
  url(path: string): string;
  readonly fetch: typeof globalThis.fetch;
  readonly session: FederationSession;
  /**
   * Sends a request. Returns a successful response, or an unsuccessful one whose body is an update rejection
   * of the protocol (409 and others with a `code`).
   *
   * @throws {SednaError} `session-ended`, `session-replaced`, `cloud-busy`, `cloud-refused`,
   * `cloud-unreachable`, `cloud-timeout`.
   */
  ask(request: FederationRequest): Promise<Reply>;
  /**
   * Converts an unsuccessful response to an error. Returns `undefined` if the body is an update rejection,
   * which is a valid response.
   */
  failure(
    reply: Reply,
    about: { readonly action: string; readonly url: string; readonly token: string | undefined },
  ): SednaError | undefined;
}

/** Statuses that may come from a proxy, or from a server that is starting, instead of the aggregator. */
const PASSING: readonly number[] = [404, 405, 408, 425];

/** Options of {@link federationHttp}. */
interface FederationHttpOptions {
  readonly base: string;
  readonly fetch: typeof globalThis.fetch;
  readonly session: FederationSession;
  /** Whether this federation has responded before. If so, a missing resource may be temporary. */
  readonly known: () => boolean;
}

/**
 * Creates an HTTP client for the paths below `<url>/v1/federations/<name>` that sends the session's token.
 */
export function federationHttp({ base, fetch, session, known }: FederationHttpOptions): FederationHttp {
  const failure: FederationHttp["failure"] = (reply, { action, url, token }) => {
    const code = codeOf(reply.body);
    if (
      token !== undefined &&
      (reply.status === 401 || code === "unauthorized" || code === "session-replaced")
    )
      return session.ended(token, { replaced: code === "session-replaced", action });
    if (code !== undefined) return undefined;
    const error = rejection(reply, { action, url });
    if (error.retryable || !(known() && PASSING.includes(reply.status))) return error;
    return new SednaError(error.message, { code: "cloud-refused", retryable: true });
  };
  return {
    url: (path) => `${base}${path}`,
    fetch,
    session,
    failure,
    async ask({
      action,
      method,
      path,
      headers = {},
      body,
      deadlineMs,
      maxReplyBytes,
      anonymous,
      onRefused,
      signal,
    }) {
      const url = `${base}${path}`;
      const token = anonymous ? undefined : session.token();
      const all = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
      const send = (limit: AbortSignal): Promise<Reply> =>
        exchange({ method, url, headers: all, body }, { action, signal: limit, maxReplyBytes, fetch });
      const reply = await withDeadline(send, { deadlineMs, signal, action: `${action} at ${url}` });
      if (reply.status >= 200 && reply.status < 300) return reply;
      onRefused?.(reply);
      const error = failure(reply, { action, url, token });
      if (error) throw error;
      return reply;
    },
  };
}

/**
 * Reads a response body. A malformed body counts as a transient fault, because a captive portal also responds
 * with status 200.
 *
 * @throws {SednaError} `cloud-garbage`, retryable, if the body is malformed.
 */
export function readAnswer<T>(
  reply: Reply,
  { action, read }: { readonly action: string; readonly read: (body: unknown) => T },
): T {
  try {
    return read(readJson(reply.body, action));
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new SednaError(`${action}: ${cause.message}`, { code: "cloud-garbage", retryable: true, cause });
  }
}

/**
 * Returns the `code` of an update rejection, or `undefined` if the body is something else, such as a
 * gateway's page.
 */
function codeOf(body: Uint8Array): RejectionCode | undefined {
  try {
    return parseUpdateRejection(readJson(body, "read a rejection")).code;
  } catch {
    return undefined;
  }
}
