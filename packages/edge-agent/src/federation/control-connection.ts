import { WireError } from "@sedna-js/core";
import { parseFederationTask, type FederationTask } from "@sedna-js/core/wire";
import type { ClientSocket } from "#platform/http";

/** How a control connection ended. */
export interface ControlEnd {
  /** Whether the handshake succeeded. */
  readonly opened: boolean;
  /** Of RFC 6455, or 4000 up; 1006 for one that just ended. */
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket on which tasks come; see {@link controlConnection}. */
export interface ControlConnection {
  /** The newest task that was not given out yet, when there is one; or how it ended. */
  next(): Promise<{ readonly task: FederationTask } | { readonly end: ControlEnd }>;
  close(): void;
}

/** Options of {@link controlConnection}. */
export interface ControlConnectionOptions {
  readonly token: string;
  /** For the handshake, in ms. */
  readonly handshakeMs: number;
  /** A ping so often, in ms; two that nothing came after end the connection: the other end may be gone without a word. */
  readonly pingMs: number;
}

const LOST: ControlEnd = { opened: true, code: 1006, reason: "nothing came after two pings" };

/** Says hello on a socket and hears the tasks; sees by pings of its own, which pages have to make themselves, when it is dead. */
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
    // Without a farewell where that can be had: nobody may be there to return it.
    if (socket.terminate) socket.terminate();
    else socket.close();
  };
  const ping = (): void => {
    // Counted, not timed: in a hidden page the next look may come a minute later.
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
  // What it says of itself comes with the close; without a listener Node would take it for an uncaught error.
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
