import { messageOf } from "@sedna-js/core/errors";
import type { Metrics } from "@sedna-js/core/adapters/prometheus";
import type { Logger, ServiceSocket, SocketRoute } from "./service.ts";
import { serviceSocket, type WebSocketLike } from "./service-socket.ts";

/** Options of {@link createSocketTracker}. */
export interface OpenSocketsOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Random source, uniform in [0,1), for the time after which a client may reconnect after a shutdown. */
  readonly random?: () => number;
}

/** A cloud's sockets; see {@link createSocketTracker}. */
export interface SocketTracker {
  open(socket: WebSocketLike, options: { readonly route: SocketRoute; readonly request: Request }): void;
  /** Closes all sockets with code 1012. Sockets that are opened later are closed at once. */
  close(): void;
}

/**
 * Time range in which clients may reconnect after a shutdown, in ms. Each client gets a random time, so that
 * they do not all reconnect at once.
 */
const RETURN_MS = { first: 1000, last: 6000 } as const;

/** Tracks the sockets of a cloud: counts them, and closes them when the cloud shuts down. */
export function createSocketTracker({
  metrics,
  logger,
  random = Math.random,
}: OpenSocketsOptions): SocketTracker {
  const open = new Set<ServiceSocket>();
  let closed = false;
  metrics.gauge("sedna_sockets", {}, () => open.size);

  const rejectBusy = (socket: ServiceSocket): void => {
    const retryAfterMs = Math.round(RETURN_MS.first + random() * (RETURN_MS.last - RETURN_MS.first));
    socket.close(1012, JSON.stringify({ retryAfterMs }));
  };
  return {
    open(host, { route, request }) {
      const socket = serviceSocket(host, {
        maxMessageBytes: route.maxMessageBytes,
        logger,
        onEnd: (code) => {
          open.delete(socket);
          metrics.add("sedna_sockets_closed_total", { code: String(code) });
        },
      });
      open.add(socket);
      if (closed) return rejectBusy(socket);
      try {
        route.open(socket, request);
      } catch (error) {
        logger.error({ error: messageOf(error), path: route.path }, "a socket's service failed");
        socket.close(1011, "the server failed");
      }
    },
    close() {
      closed = true;
      for (const socket of open) rejectBusy(socket);
    },
  };
}
