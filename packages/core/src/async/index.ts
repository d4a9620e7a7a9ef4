/** Retry, backoff, deadlines, and queues of one consumer. */

export { abortable } from "./abortable.ts";
export { backoff, type BackoffOptions } from "./backoff.ts";
export { coalesce } from "./coalesce.ts";
export { checkDeadline, type DeadlineOptions, withDeadline } from "./deadline.ts";
export { delay } from "./delay.ts";
export { callListener, createEmitter, type Emitter } from "./emitter.ts";
export { createLifetime, type Lifetime } from "./lifetime.ts";
export { latest } from "./latest.ts";
export { readChunks } from "./read-chunks.ts";
export { retry, type RetryOptions, type RetryPolicy } from "./retry.ts";
export { createSerialQueue, type SerialQueue } from "./serial-queue.ts";
export { type Timers, waitAtMost } from "./wait-at-most.ts";
