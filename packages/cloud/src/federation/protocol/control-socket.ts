import { SednaError } from "@sedna-js/core";
import { parseHello } from "@sedna-js/core/wire";
import { createPaceLimiter } from "../../http/pace.ts";
import type { ServiceSocket, SocketRoute } from "../../http/service.ts";
import { controlSession, type ControlSessionOptions } from "./control-session.ts";
import type { Federation } from "../federation.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** Options of {@link controlSocket}. */
export interface ControlSocketOptions {
  /** Found by their plans' names. */
  readonly federations: readonly Federation[];
  readonly sessions: Sessions;
  /** How long the first frame may take, in ms. Default 5000. */
  readonly helloMs?: number;
  /**
   * How often a session is looked at again while nothing happens, in ms: it may have ended, or another one of
   * its device begun. Default 15000.
   */
  readonly recheckMs?: number;
}

/** By which codes a control socket closes. */
export const CONTROL_CODES = {
  /** No token within time, or none that counts: join again. */
  unauthorized: 4401,
  /** A newer session of the same device is there. */
  sessionReplaced: 4409,
} as const;

/** A hello with the longest token that is read. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/**
 * Frames that a client may send a second, and at once. A ping every few seconds is all that it has to say.
 */
const FRAMES = { perSecond: 2, burst: 20 } as const;

/**
 * A federation's control over a WebSocket: `/v1/federations/:name/control`. The first frame is
 * `{"type":"hello","token":...}`, because pages cannot set headers; then a text frame with the task comes at
 * once and whenever it changes. `{"type":"ping"}` is answered by `{"type":"pong"}`, since pages see no ping
 * of the protocol itself. A device's newer socket takes the place of its older one.
 */
export function controlSocket({
  federations,
  sessions,
  helloMs = 5000,
  recheckMs = 15_000,
}: ControlSocketOptions): SocketRoute {
  const byName = new Map(federations.map((federation) => [federation.plan.name, federation]));
  /** The socket of each client; its end is told once. */
  const current = new Map<
    Federation,
    Map<string, { readonly epoch: number; replace(byEpoch: number): void }>
  >(federations.map((federation) => [federation, new Map()]));

  return {
    path: "/v1/federations/:name/control",
    maxMessageBytes: MAX_MESSAGE_BYTES,
    firstFrameToken: true,
    accept: (request) =>
      federationOf(request)
        ? undefined
        : new Response(
            JSON.stringify({
              error: "open a control socket: expected the name of a federation; got another",
            }),
            { status: 404, headers: { "content-type": "application/json" } },
          ),
    open(socket, request) {
      const federation = federationOf(request)!;
      const clients = current.get(federation)!;
      const pace = createPaceLimiter(FRAMES);
      const late = setTimeout(
        () => socket.close(CONTROL_CODES.unauthorized, `expected a hello within ${helloMs} ms`),
        helloMs,
      );
      let greeted = false;
      let session: { end(): void } | undefined;
      let ended = false;

      const greet = async (frame: string): Promise<void> => {
        const token = tokenOf(frame);
        if (token === undefined)
          return socket.close(CONTROL_CODES.unauthorized, "expected a hello with a token");
        const member = await sessions.verify(token);
        if (ended) return;
        clearTimeout(late);
        if ("rejected" in member) return reject(socket, member.rejected);
        const before = clients.get(member.client);
        if (before && before.epoch > member.epoch) return reject(socket, "session-replaced");
        before?.replace(member.epoch);
        const mine = {
          epoch: member.epoch,
          replace: (by: number) =>
            by > member.epoch
              ? reject(socket, "session-replaced")
              : socket.close(1000, "another socket of this session"),
        };
        const running = begun(socket, {
          federation,
          member,
          verify: () => sessions.verify(token),
          reject: (why) => reject(socket, why),
          recheckMs,
        });
        if (!running) return;
        clients.set(member.client, mine);
        session = {
          end() {
            running.end();
            if (clients.get(member.client) === mine) clients.delete(member.client);
          },
        };
      };
      socket.onMessage((data) => {
        if (typeof data !== "string") return socket.close(1003, "expected text");
        if (pace.admit() !== undefined) return socket.close(1008, "expected fewer frames");
        if (!greeted) {
          greeted = true;
          return greet(data);
        }
        if (isPing(data)) socket.send('{"type":"pong"}');
        else socket.close(1008, "expected a ping");
      });
      socket.onClose(() => {
        ended = true;
        clearTimeout(late);
        session?.end();
      });
    },
  };

  function federationOf(request: Request): Federation | undefined {
    return byName.get(new URL(request.url).pathname.split("/")[3] ?? "");
  }
}

/**
 * A token may be good although the federation does not know its member, after a restart without its log: it
 * has to join again.
 */
function begun(
  socket: ServiceSocket,
  options: ControlSessionOptions,
): ReturnType<typeof controlSession> | undefined {
  try {
    return controlSession(socket, options);
  } catch (error) {
    const code = error instanceof SednaError ? error.code : undefined;
    if (code !== "session-ended" && code !== "session-replaced") throw error;
    options.reject(code === "session-replaced" ? code : "unauthorized");
    return undefined;
  }
}

function reject(socket: ServiceSocket, why: "unauthorized" | "session-replaced"): void {
  if (why === "session-replaced") socket.close(CONTROL_CODES.sessionReplaced, "session-replaced");
  else socket.close(CONTROL_CODES.unauthorized, "unauthorized");
}

function tokenOf(frame: string): string | undefined {
  try {
    return parseHello(frame).token;
  } catch {
    return undefined;
  }
}

function isPing(frame: string): boolean {
  try {
    return (JSON.parse(frame) as { type?: unknown } | null)?.type === "ping";
  } catch {
    return false;
  }
}
