import type { Cloud } from "./create-cloud.ts";

// What only a server process can do. platform.node.ts does it; elsewhere platform.other.ts throws an error
// that says so: there a cloud is a function that the host calls.

/** Options of {@link serve}. */
export interface ServeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1: to be reached from outside is a decision. */
  readonly host?: string;
  /** How long a shutdown waits for requests under way, in ms. Default 10000. */
  readonly drainMs?: number;
  readonly sockets?: SocketLimits;
}

/** What a server's WebSockets must keep to. */
export interface SocketLimits {
  /** In all. More are answered 503. Default 10000. */
  readonly maxConnections?: number;
  /**
   * From one IPv4 address or one IPv6 /64. More are answered 429. Behind a proxy all come from its address.
   * Default 1024.
   */
  readonly maxPerAddress?: number;
  /** Time between pings in ms; after two that nothing answers a socket is cut off. Default 10000. */
  readonly pingMs?: number;
  /** How long the other side may take to answer a close before it is cut off, in ms. Default 3000. */
  readonly closeMs?: number;
}

/** A cloud on a socket. */
export interface Serving {
  readonly url: string;
  /** Stops listening, answers what is under way, ends. */
  close(): Promise<void>;
}

/** Puts a cloud on a socket. Rejects when the port is taken. */
export declare function serve(cloud: Cloud, options: ServeOptions): Promise<Serving>;
