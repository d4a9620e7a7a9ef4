import type { SednaError } from "@sedna-js/core";
import { backoff } from "@sedna-js/core/async";
import type { FederationTask } from "@sedna-js/core/wire";
import type { ClientSocket } from "#platform/http";
import { delay } from "@sedna-js/core/async";
import { controlConnection, type ControlEnd } from "./control-connection.ts";
import type { FederationSession } from "./federation-session.ts";

/** Options of {@link socketTasks}. */
export interface SocketTasksOptions {
  readonly url: string;
  readonly session: FederationSession;
  readonly signal: AbortSignal;
  readonly open: (url: string, options: { readonly maxMessageBytes: number }) => Promise<ClientSocket>;
  /** Polls the tasks without a socket. */
  readonly poll: (signal: AbortSignal) => AsyncIterable<FederationTask>;
  /** Time for which to poll after {@link MAX_HANDSHAKE_FAILURES} consecutive failed handshakes, in ms. */
  readonly withoutMs: number;
  readonly handshakeMs: number;
  readonly pingMs: number;
  readonly baseMs: number;
  readonly capMs: number;
  readonly random: () => number;
}

/** Consecutive failed handshakes after which the client polls instead. */
export const MAX_HANDSHAKE_FAILURES = 3;
const MAX_MESSAGE_BYTES = 2 ** 26;
/** Close codes with which an aggregator ends a session's socket. */
const ENDED = { unauthorized: 4401, replaced: 4409 } as const;

/**
 * Yields the task whenever it changes, over a WebSocket that is reopened when it closes. Polls for a while if
 * handshakes keep failing, because some networks forbid sockets.
 *
 * @throws {SednaError} If a failure is not retryable.
 */
export async function* socketTasks(options: SocketTasksOptions): AsyncGenerator<FederationTask, undefined> {
  const { session, signal, poll, withoutMs, baseMs, capMs, random } = options;
  let failures = 0;
  for (let tried = 0; ; tried++) {
    signal.throwIfAborted();
    const token = session.token();
    let end: ControlEnd | undefined;
    for await (const next of hear(options, token)) {
      if ("end" in next) end = next.end;
      else {
        tried = 0;
        yield next.task;
      }
    }
    signal.throwIfAborted();
    end ??= NEVER_OPENED;
    const over = sessionEnd(end, { session, token });
    if (over) throw over;
    failures = end.opened ? 0 : failures + 1;
    if (failures >= MAX_HANDSHAKE_FAILURES) {
      yield* pollFor(withoutMs, { poll, signal });
      failures = 0;
      tried = -1;
    } else await delay(backoff({ tried, baseMs, capMs, random, retryAfterMs: retryAfter(end) }), signal);
  }
}

const NEVER_OPENED: ControlEnd = { opened: false, code: 1006, reason: "" };

/** Opens one connection. Yields its tasks and then its end. */
async function* hear(
  { open, url, handshakeMs, pingMs, signal }: SocketTasksOptions,
  token: string,
): AsyncGenerator<{ readonly task: FederationTask } | { readonly end: ControlEnd }, undefined> {
  // The constructor throws if the page is not allowed to open this URL.
  const socket = await open(url, { maxMessageBytes: MAX_MESSAGE_BYTES }).catch(() => undefined);
  if (!socket) return;
  const connection = controlConnection(socket, { token, handshakeMs, pingMs });
  const close = (): void => connection.close();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  try {
    for (;;) {
      const next = await connection.next();
      if (signal.aborted) return;
      yield next;
      if ("end" in next) return;
    }
  } finally {
    signal.removeEventListener("abort", close);
    connection.close();
  }
}

/** Polls for a limited time, then returns without an error. */
async function* pollFor(
  ms: number,
  { poll, signal }: Pick<SocketTasksOptions, "poll" | "signal">,
): AsyncGenerator<FederationTask, undefined> {
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), ms);
  try {
    yield* poll(AbortSignal.any([signal, enough.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

function sessionEnd(
  { code }: ControlEnd,
  { session, token }: { readonly session: FederationSession; readonly token: string },
): SednaError | undefined {
  if (code !== ENDED.unauthorized && code !== ENDED.replaced) return undefined;
  return session.ended(token, {
    replaced: code === ENDED.replaced,
    action: "receive the federation's tasks",
  });
}

/** Reads the retry delay, in ms, that a cloud puts in the close reason when it shuts down. */
function retryAfter({ reason }: ControlEnd): number | undefined {
  try {
    const { retryAfterMs } = JSON.parse(reason) as { readonly retryAfterMs?: unknown };
    return typeof retryAfterMs === "number" && retryAfterMs > 0 ? retryAfterMs : undefined;
  } catch {
    return undefined;
  }
}
