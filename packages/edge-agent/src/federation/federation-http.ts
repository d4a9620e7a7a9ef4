import { SednaError, WireError } from "@sedna-js/core";
import { withDeadline } from "@sedna-js/core/async";
import { parseUpdateRejection, type RejectionCode } from "@sedna-js/core/wire";
import { exchange, rejection, type Reply } from "../http/exchange.ts";
import { readJson } from "../http/read-json.ts";
import type { FederationSession } from "./federation-session.ts";

/** One request of a client to its aggregator. */
export interface FederationRequest {
  /** What is being done, for the errors: "send the update". */
  readonly action: string;
  readonly method: string;
  /** Below the federation, such as `/task?after=3`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly deadlineMs: number;
  readonly maxReplyBytes: number;
  /** Without it the request says who asks. */
  readonly anonymous?: true;
  /** Told of a reply that is no success, before it is thrown. */
  readonly onRefused?: (reply: Reply) => void;
  readonly signal: AbortSignal;
}

/** Asks a federation's aggregator; see {@link federationHttp}. */
export interface FederationHttp {
  /** The address of a path below the federation. */
  url(path: string): string;
  readonly fetch: typeof globalThis.fetch;
  readonly session: FederationSession;
  /**
   * A reply with a status of success, or one that a person of the protocol made: 409 and others with a `code`.
   * @throws {SednaError} `session-ended`, `session-replaced`, `cloud-busy`, `cloud-refused`, `cloud-unreachable`, `cloud-timeout`.
   */
  ask(request: FederationRequest): Promise<Reply>;
  /** What a reply that is no success means; undefined where its body is an update's refusal, which is an answer. */
  failure(
    reply: Reply,
    about: { readonly action: string; readonly url: string; readonly token: string | undefined },
  ): SednaError | undefined;
}

/** Statuses that mean that nobody is there now: what answers is a proxy, or a server that starts. */
const PASSING: readonly number[] = [404, 405, 408, 425];

/** HTTP below `<url>/v1/federations/<name>`, with the session's token. */
export function federationHttp({
  base,
  fetch,
  session,
  known,
}: {
  readonly base: string;
  readonly fetch: typeof globalThis.fetch;
  readonly session: FederationSession;
  /** Whether this federation has answered before: what is missing now was there, and may come back. */ readonly known: () => boolean;
}): FederationHttp {
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
        exchange(
          { method, url, headers: all, ...(body && { body }) },
          { action, signal: limit, maxReplyBytes, fetch },
        );
      const reply = await withDeadline(send, { deadlineMs, signal, action: `${action} at ${url}` });
      if (reply.status >= 200 && reply.status < 300) return reply;
      onRefused?.(reply);
      const error = failure(reply, { action, url, token });
      if (error) throw error;
      return reply;
    },
  };
}

/** Reads an answer; what is none of the aggregator's own is a passing fault of the way: a captive portal answers 200 too. */
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

/** The `code` of an update's refusal, where the body is one: what others say, such as a gateway, is none. */
function codeOf(body: Uint8Array): RejectionCode | undefined {
  try {
    return parseUpdateRejection(readJson(body, "read a refusal")).code;
  } catch {
    return undefined;
  }
}
