import type { Hono } from "hono";
import type { Metrics } from "@sedna-js/core/adapters/prometheus";

/** What a cloud gives its services. */
export interface ServiceContext {
  readonly metrics: Metrics;
  /** Told of errors that the client is not told in full. */
  readonly logger: Logger;
}

/** Where log lines go; pino, console and others fit. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A WebSocket as a service sees it, after its handshake. */
export interface ServiceSocket {
  /**
   * Text frames as strings, binary ones as bytes. What is sent after the end is dropped; a reader far behind
   * is closed by 1008.
   */
  send(data: string | Uint8Array): void;
  /** Bytes that wait to be sent: a reader that does not keep up. */
  readonly bufferedAmount: number;
  /** Closes with a code of RFC 6455, or 4000 up. Default 1000. Calling it again does nothing. */
  close(code?: number, reason?: string): void;
  /**
   * Told in order, until `close` is called; what a listener throws closes the socket by 1011, and nothing
   * else.
   */
  onMessage(listener: (data: string | Uint8Array) => void): void;
  /** Told once. */
  onClose(listener: (code: number) => void): void;
}

/** A place where a service takes WebSockets. */
export interface SocketRoute {
  /** The path without query, as a pattern of hono: `/v1/federations/:name/control`. */
  readonly path: string;
  /** A longer message closes the socket by 1009. */
  readonly maxMessageBytes: number;
  /**
   * True where the first frame must carry a token of the route's own. Pages cannot set headers for a
   * WebSocket, so the cloud's token, which is a header, is then not asked for.
   */
  readonly firstFrameToken?: boolean;
  /**
   * Looks at the upgrade's request: a response refuses it. Origins are the cloud's business, and were looked
   * at before.
   */
  accept?(request: Request): Response | undefined | Promise<Response | undefined>;
  open(socket: ServiceSocket, request: Request): void;
}

/** One thing that a cloud offers. */
export interface Service {
  /** Its name among the services of a cloud. */
  readonly name: string;
  /** Adds its routes. */
  mount(app: Hono, context: ServiceContext): void;
  /** Where it takes WebSockets. */
  readonly sockets?: readonly SocketRoute[];
  /**
   * Beginnings of paths where the service itself looks at who asks and how long a body is: the cloud's token
   * and limit are not for these.
   */
  readonly guardedPaths?: readonly string[];
  /** The cloud begins to shut down: ends what waits for something to happen. */
  drain?(): void;
  /** Loads what it needs; the cloud is ready when all services are. */
  start(): Promise<void>;
  readonly ready: boolean;
  /** Answers what was taken, takes no more, and gives back its memory. */
  close(): Promise<void>;
}
