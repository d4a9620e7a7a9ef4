import { SednaError } from "@sedna-js/core";
import { parseHello } from "@sedna-js/core/wire";
import { createPaceLimiter } from "../../http/pace.ts";
import type { ServiceSocket, SocketRoute } from "../../http/service.ts";
import { controlSession, type ControlSessionOptions } from "./control-session.ts";
import type { Federation } from "../federation.ts";
import type { Sessions } from "../sessions/sessions.ts";

/** Options of {@link controlSocket}. */
export interface ControlSocketOptions {
  /** The federations, found by the names of their plans. */
  readonly federations: readonly Federation[];
  readonly sessions: Sessions;
  /** Time limit for the first frame, in ms. Default 5000. */
  readonly helloMs?: number;
  /**
   * Interval at which an idle session is verified again, in ms: it may have ended or been replaced. Default
   * 15000.
   */
  readonly recheckMs?: number;
}

/** Close codes of a control socket. */
export const CONTROL_CODES = {
  /** No token in time, or an invalid token: the client must join again. */
  unauthorized: 4401,
  /** A newer session of the same device exists. */
  sessionReplaced: 4409,
} as const;

/** Maximum frame size in bytes: a hello with the longest token that is accepted. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/** Frames that a client may send, per second and at once. Clients send only a ping every few seconds. */
const FRAMES = { perSecond: 2, burst: 20 } as const;

/**
 * Creates the WebSocket route for the control of federations: `/v1/federations/:name/control`. The first
 * frame is `{"type":"hello","token":...}`, because pages cannot set headers. Then the server sends the task
 * as a text frame, at once and after each change. It responds to `{"type":"ping"}` with `{"type":"pong"}`,
 * because pages do not see the pings of the protocol itself. A newer socket of a device replaces its older
 * one.
 */
export function controlSocket({
  federations,
  sessions,
  helloMs = 5000,
  recheckMs = 15_000,
}: ControlSocketOptions): SocketRoute {
  const byName = new Map(federations.map((federation) => [federation.plan.name, federation]));
  /** The current socket of each client, which a newer socket replaces. */
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
              error: "open a control socket: expected the name of a federation; got an unknown name",
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
 * Starts the session. Returns `undefined` if it closed the socket: a token may be valid although the
 * federation does not know its member, after a restart without its log. Then the client has to join again.
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
