import type { Cloud } from "./create-cloud.ts";

// Functions that need a server process. platform.node.ts implements them. On other platforms
// platform.other.ts throws an error that says so; there a cloud is a function that the host calls.

/** Options of {@link serve}. */
export interface ServeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. Default 127.0.0.1: access from outside must be an explicit decision. */
  readonly host?: string;
  /** Time that a shutdown waits for active requests, in ms. Default 10000. */
  readonly drainMs?: number;
  readonly sockets?: SocketLimits;
}

/** Limits of a server's WebSockets. */
export interface SocketLimits {
  /** Maximum number of sockets; more are rejected with 503. Default 10000. */
  readonly maxConnections?: number;
  /**
   * Maximum number of sockets from one IPv4 address or one IPv6 /64; more are rejected with 429. Behind a
   * proxy all sockets have its address. Default 1024.
   */
  readonly maxPerAddress?: number;
  /** Time between pings, in ms. After two unanswered pings a socket is terminated. Default 10000. */
  readonly pingMs?: number;
  /** Time for the other side to answer a close before the socket is terminated, in ms. Default 3000. */
  readonly closeMs?: number;
}

/** A cloud that listens on a network socket. */
export interface Serving {
  readonly url: string;
  /** Stops listening, completes active requests, and closes the cloud. */
  close(): Promise<void>;
}

/** Serves a cloud over HTTP and WebSockets. Rejects if the port is in use. */
export declare function serve(cloud: Cloud, options: ServeOptions): Promise<Serving>;
