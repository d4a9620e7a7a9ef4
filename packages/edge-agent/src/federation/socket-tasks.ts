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
  /** The tasks without a socket. */
  readonly poll: (signal: AbortSignal) => AsyncIterable<FederationTask>;
  /** How long to go without sockets after {@link HANDSHAKES} that failed in a row, in ms. */
  readonly withoutMs: number;
  readonly handshakeMs: number;
  readonly pingMs: number;
  readonly baseMs: number;
  readonly capMs: number;
  readonly random: () => number;
}

/** Handshakes that fail in a row before it goes on without sockets. */
export const HANDSHAKES = 3;
const MAX_MESSAGE_BYTES = 2 ** 26;
/** The codes by which an aggregator ends a session's socket. */
const ENDED = { unauthorized: 4401, replaced: 4409 } as const;

/**
 * The task whenever it changes, over a WebSocket that is opened again when it ends; by polling for a while where
 * handshakes keep failing: some networks forbid sockets. @throws {SednaError} what no other try heals.
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
    if (failures >= HANDSHAKES) {
      yield* pollFor(withoutMs, { poll, signal });
      failures = 0;
      tried = -1;
    } else await delay(backoff({ tried, baseMs, capMs, random, retryAfterMs: retryAfter(end) }), signal);
  }
}

const NEVER_OPENED: ControlEnd = { opened: false, code: 1006, reason: "" };

/** One connection, from its start to its end. */
async function* hear(
  { open, url, handshakeMs, pingMs, signal }: SocketTasksOptions,
  token: string,
): AsyncGenerator<{ readonly task: FederationTask } | { readonly end: ControlEnd }, undefined> {
  // A page may not be allowed to open this address at all, which the constructor tells.
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

/** Polls for a time; ends then without an error. */
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
  return session.ended(token, { replaced: code === ENDED.replaced, action: "hear the federation's tasks" });
}

/** A cloud that shuts down says in the reason when to come back. */
function retryAfter({ reason }: ControlEnd): number | undefined {
  try {
    const { retryAfterMs } = JSON.parse(reason) as { readonly retryAfterMs?: unknown };
    return typeof retryAfterMs === "number" && retryAfterMs > 0 ? retryAfterMs : undefined;
  } catch {
    return undefined;
  }
}
