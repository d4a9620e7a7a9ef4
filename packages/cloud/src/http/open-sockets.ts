import { messageOf } from "@sedna-js/core/errors";
import type { Metrics } from "@sedna-js/core/adapters/prometheus";
import type { Logger, ServiceSocket, SocketRoute } from "./service.ts";
import { serviceSocket, type WebSocketLike } from "./service-socket.ts";

/** Options of {@link openSockets}. */
export interface OpenSocketsOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Uniform in [0,1): when a client may come back after a shutdown. */
  readonly random?: () => number;
}

/** A cloud's sockets; see {@link openSockets}. */
export interface OpenSockets {
  open(socket: WebSocketLike, options: { readonly route: SocketRoute; readonly request: Request }): void;
  /** Closes all by 1012, and at once those that are opened from then on. */
  close(): void;
}

/**
 * After a shutdown clients are sent back within this time, each at another, so that a crowd does not come
 * back at once.
 */
const RETURN_MS = { first: 1000, last: 6000 } as const;

/** Keeps the sockets of a cloud: counts them, and closes them when it shuts down. */
export function openSockets({ metrics, logger, random = Math.random }: OpenSocketsOptions): OpenSockets {
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
