import type { Clock } from "./clock.ts";
import type { Route } from "./deliver.ts";
import type { DurableQueue } from "./durable-queue.ts";

/** Events of a sender, besides those of its queue. */
export type SenderEvent =
  /** An attempt failed. The next attempt follows after `retryInMs`. */
  | {
      readonly type: "upload-failed";
      readonly code: string;
      readonly message: string;
      readonly retryInMs: number;
    }
  /**
   * The receiver rejects the credentials (401, 403). Sending pauses for `retryInMs`, or until
   * `flush` is called.
   */
  | { readonly type: "upload-paused"; readonly message: string; readonly retryInMs: number }
  /**
   * The receiver will never accept this item, or it must not be sent at all. It was removed from the queue.
   */
  | {
      readonly type: "upload-rejected";
      readonly id: string;
      readonly kind: string;
      readonly message: string;
    };

/** Options of {@link createSender}. */
export interface SenderOptions {
  readonly queue: Pick<DurableQueue, "next" | "settle" | "release">;
  /** URL of the receiver, such as `https://cloud.example`. In a page, `/` is the origin of the page. */
  readonly url: string | URL;
  /** Token sent as `Authorization: Bearer`. A function is called for each request. */
  readonly token?: string | (() => string | undefined);
  readonly headers?: Readonly<Record<string, string>>;
  /** Maps items to requests. Default: every item is a sample and is sent to `<url>/v1/samples`. */
  readonly route?: Route;
  /** Maximum number of concurrent requests. While sending fails, it is 1. Default 2. */
  readonly concurrency?: number;
  /** Maximum number of requests per second. Default 10. */
  readonly maxPerSecond?: number;
  /** Deadline of a request and its whole reply, in ms. Default 30000. */
  readonly deadlineMs?: number;
  /** Upper bound of the first retry delay, in ms. Default 1000. */
  readonly baseMs?: number;
  /** Maximum retry delay, in ms, unless the receiver requests a longer one. Default 300000. */
  readonly capMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Random source, uniform in [0,1). */
  readonly random?: () => number;
  readonly clock?: Clock;
  /** Source of `online` events. Default: the page or Worker, if there is one. */
  readonly network?: EventTarget;
  readonly onEvent?: (event: SenderEvent) => void;
}

/** Sends the items of a queue to the cloud; see {@link createSender}. */
export interface Sender {
  /** Notifies the sender that an item was queued. */
  wake(): void;
  /** Sends at once, regardless of retry delays. Resolves when no item is left to send. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Waits up to `graceMs` (default 0) for active requests, then aborts them. Items that were not acknowledged
   * stay queued.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}
