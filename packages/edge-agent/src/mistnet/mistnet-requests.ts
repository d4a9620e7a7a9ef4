import { SednaError } from "@sedna-js/core";
import { backoff, delay, withDeadline } from "@sedna-js/core/async";
import { type AnyHttpRequest, exchange, rejection, type Reply } from "../http/http-request.ts";

/** Options of {@link mistnetRequests}. */
export interface MistnetRequestsOptions {
  /** URL of the job. */
  readonly root: string;
  readonly token: string | undefined;
  /** Timeout of one attempt, in ms. */
  readonly deadlineMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly random: () => number;
  /** Action that error messages name. */
  readonly action: string;
}

/** A request to a MistNet job. */
export interface MistnetRequest extends Omit<AnyHttpRequest, "url" | "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly maxReplyBytes: number;
}

const BACKOFF = { baseMs: 500, capMs: 60_000 };

/**
 * Returns a function that sends a request to a path of a MistNet job. It retries temporary failures until the
 * signal aborts.
 */
export function mistnetRequests({
  root,
  token,
  deadlineMs,
  fetch,
  random,
  action,
}: MistnetRequestsOptions): (path: string, request: MistnetRequest) => Promise<Reply> {
  return async (path, { signal, maxReplyBytes, headers: given, ...request }) => {
    const headers = { ...given, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const url = `${root}${path}`;
    const send = (limit: AbortSignal): Promise<Reply> =>
      exchange({ ...request, url, headers }, { action, signal: limit, maxReplyBytes, fetch });
    for (let tried = 0; ; tried++) {
      signal.throwIfAborted();
      try {
        const reply = await withDeadline(send, { deadlineMs, signal, action });
        if (reply.status < 300) return reply;
        throw rejection(reply, { action, url });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SednaError && error.retryable)) throw error;
        await delay(backoff({ tried, ...BACKOFF, random, retryAfterMs: error.retryAfterMs }), signal);
      }
    }
  };
}
