import { WireError } from "@sedna-js/core";
import { parseFederationTask, type FederationTask } from "@sedna-js/core/wire";
import type { ClientSocket } from "#platform/http";

/** The end of a control connection, with its close code and reason. */
export interface ControlEnd {
  /** Whether the handshake succeeded. */
  readonly opened: boolean;
  /**
   * Close code of RFC 6455, or 4000 and above for application codes. 1006 if the connection ended without a
   * close frame.
   */
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket that delivers tasks. See {@link controlConnection}. */
export interface ControlConnection {
  /**
   * Waits for the latest task that was not returned yet, or for the end of the connection. Older tasks are
   * dropped.
   */
  next(): Promise<{ readonly task: FederationTask } | { readonly end: ControlEnd }>;
  close(): void;
}

/** Options of {@link controlConnection}. */
export interface ControlConnectionOptions {
  readonly token: string;
  /** Timeout of the handshake, in ms. */
  readonly handshakeMs: number;
  /**
   * Time between pings, in ms. Two pings without any incoming message end the connection, because the other
   * end may have gone without closing it.
   */
  readonly pingMs: number;
}

const LOST: ControlEnd = { opened: true, code: 1006, reason: "no message after two pings" };

/**
 * Sends hello on a socket and receives tasks. Pages cannot send WebSocket ping frames, so the connection
 * sends its own ping messages to detect a dead connection.
 */
export function controlConnection(
  socket: ClientSocket,
  { token, handshakeMs, pingMs }: ControlConnectionOptions,
): ControlConnection {
  let newest: FederationTask | undefined;
  let end: ControlEnd | undefined;
  let opened = false;
  let unanswered = 0;
  let wake = (): void => {};

  const finish = (how: ControlEnd): void => {
    if (end) return;
    end = how;
    clearTimeout(timer);
    wake();
    // Terminate without a closing handshake if the socket supports it: the other end may be gone.
    if (socket.terminate) socket.terminate();
    else socket.close();
  };
  const ping = (): void => {
    // Count pings instead of measuring time: in a hidden page the next timer may fire a minute later.
    if (unanswered >= 2) return finish(LOST);
    unanswered++;
    socket.send('{"type":"ping"}');
    timer = setTimeout(ping, pingMs);
  };
  let timer = setTimeout(
    () => finish({ opened: false, code: 1006, reason: `no handshake within ${handshakeMs} ms` }),
    handshakeMs,
  );

  socket.addEventListener("open", () => {
    if (end) return;
    opened = true;
    clearTimeout(timer);
    socket.send(JSON.stringify({ type: "hello", token }));
    timer = setTimeout(ping, pingMs);
  });
  socket.addEventListener("message", ({ data }) => {
    if (end) return;
    unanswered = 0;
    if (data === '{"type":"pong"}') return;
    try {
      newest = parseFederationTask(data);
      wake();
    } catch (error) {
      finish({ opened, code: 1007, reason: error instanceof WireError ? error.message : String(error) });
    }
  });
  // The close event carries the details. Without this listener Node would treat the error as uncaught.
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code = 1006, reason = "" }) =>
    finish({ opened, code, reason: String(reason) }),
  );

  return {
    async next() {
      while (newest === undefined && end === undefined)
        await new Promise<void>((resolve) => (wake = resolve));
      const task = newest;
      newest = undefined;
      return task ? { task } : { end: end! };
    },
    close: () => finish({ opened, code: 1000, reason: "closed here" }),
  };
}
