import type { Hono } from "hono";
import type { Metrics } from "@sedna-js/core";

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

/** One thing that a cloud offers. */
export interface Service {
  /** Its name among the services of a cloud. */
  readonly name: string;
  /** Adds its routes. */
  mount(app: Hono, context: ServiceContext): void;
  /** Loads what it needs; the cloud is ready when all services are. */
  start(): Promise<void>;
  readonly ready: boolean;
  /** Answers what was taken, takes no more, and gives back its memory. */
  close(): Promise<void>;
}
