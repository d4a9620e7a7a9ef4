import type { Hono } from "hono";
import type { Metrics } from "@sedna-js/core/adapters/prometheus";

/** Context that a cloud passes to its services. */
export interface ServiceContext {
  readonly metrics: Metrics;
  /** Receives errors whose details are not sent to the client. */
  readonly logger: Logger;
}

/** Destination of log lines; pino, console and others fit. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A WebSocket as a service sees it, after its handshake. */
export interface ServiceSocket {
  /**
   * Sends a string as a text frame, bytes as a binary frame. Data sent after the end is dropped. A reader
   * that is too slow is closed with 1008.
   */
  send(data: string | Uint8Array): void;
  /** Bytes waiting to be sent. They accumulate if the reader is slow. */
  readonly bufferedAmount: number;
  /** Closes with a code of RFC 6455, or 4000 and above. Default 1000. Further calls have no effect. */
  close(code?: number, reason?: string): void;
  /**
   * Adds a listener for messages. It is called in order until `close` is called. An error in a listener
   * closes this socket with 1011 and affects nothing else.
   */
  onMessage(listener: (data: string | Uint8Array) => void): void;
  /** Adds a listener that is called once with the close code, also if the socket has already closed. */
  onClose(listener: (code: number) => void): void;
}

/** A path at which a service accepts WebSockets. */
export interface SocketRoute {
  /** Path without query, as a hono pattern: `/v1/federations/:name/control`. */
  readonly path: string;
  /** Maximum size of a message, in bytes. A longer message closes the socket with 1009. */
  readonly maxMessageBytes: number;
  /**
   * Whether the first frame must carry the route's own token. Pages cannot set headers for a WebSocket, so
   * the cloud's token, which is a header, is not required on such a route.
   */
  readonly firstFrameToken?: boolean;
  /**
   * Checks the upgrade request; a returned response rejects the request. The cloud has already checked the
   * origin.
   */
  accept?(request: Request): Response | undefined | Promise<Response | undefined>;
  open(socket: ServiceSocket, request: Request): void;
}

/** A service that a cloud offers. */
export interface Service {
  /** Name of the service, unique in its cloud. */
  readonly name: string;
  /** Adds the service's routes. */
  mount(app: Hono, context: ServiceContext): void;
  /** WebSocket routes of the service. */
  readonly sockets?: readonly SocketRoute[];
  /**
   * Path prefixes for which the service itself checks authorization and body size. The cloud's token and body
   * limit do not apply to them.
   */
  readonly guardedPaths?: readonly string[];
  /** Called when the cloud begins to shut down. Ends requests that wait for an event. */
  drain?(): void;
  /** Loads the service's resources. The cloud is ready when all services are. */
  start(): Promise<void>;
  readonly ready: boolean;
  /** Completes accepted requests, rejects new ones, and frees the service's memory. */
  close(): Promise<void>;
}
