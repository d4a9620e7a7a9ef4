import { SednaError } from "@sedna-js/core";
import { backoff, checkDeadline } from "@sedna-js/core/async";
import { baseUrl } from "../http/base-url.ts";
import { type Clock, systemClock } from "./clock.ts";
import { deliver, type Route, sampleRoute } from "./deliver.ts";
import type { DurableQueue } from "./durable-queue.ts";
import type { QueueEntry } from "./queue-store.ts";
import { checkRate, type PromiseWithResolvers, storageError, waiting } from "./sender-waits.ts";

/** What a sender tells, beside what its queue does. */
export type SenderEvent =
  /** A try failed; the next comes after `retryInMs`. */
  | {
      readonly type: "sending-failed";
      readonly code: string;
      readonly message: string;
      readonly retryInMs: number;
    }
  /** The receiver does not know us (401, 403): someone has to give a good token. */
  | { readonly type: "sending-paused"; readonly message: string; readonly retryInMs: number }
  /** The receiver will never take this item, or it may not be sent at all; it was taken off the queue. */
  | {
      readonly type: "sending-refused";
      readonly id: string;
      readonly kind: string;
      readonly message: string;
    };

/** Options of {@link createSender}. */
export interface SenderOptions {
  readonly queue: Pick<DurableQueue, "next" | "settle" | "release">;
  /** The receiver, such as `https://cloud.example`; in a page `/` is where the page came from. */
  readonly url: string | URL;
  /** Sent as `Authorization: Bearer`; a function is asked each time. */
  readonly token?: string | (() => string | undefined);
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: every item is a sample and goes to `<url>/v1/samples`. */
  readonly route?: Route;
  /** Requests under way at once. While sending fails it is one. Default 2. */
  readonly concurrency?: number;
  /** Requests a second at most. Default 10. */
  readonly maxPerSecond?: number;
  /** For a request and its whole reply, in ms. Default 30000. */
  readonly deadlineMs?: number;
  /** The first wait after a failure is at most this long, in ms. Default 1000. */
  readonly baseMs?: number;
  /** The longest wait of our own, in ms. Default 300000. */
  readonly capMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Uniform in [0,1). */
  readonly random?: () => number;
  readonly clock?: Clock;
  /** Where `online` comes from. Default: the page or Worker, where there is one. */
  readonly network?: EventTarget;
  readonly onEvent?: (event: SenderEvent) => void;
}

/** Empties a queue into the cloud; see {@link createSender}. */
export interface Sender {
  /** Something was queued. */
  wake(): void;
  /** Tries at once, whatever the wait, and resolves when nothing is left to send. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Lets requests under way end for `graceMs` (default 0), then cuts them off; what was not acknowledged
   * stays queued.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * An item that has failed so often, while the receiver was there, may be what makes it fail: others get their
 * turn.
 */
const FAILURES_BEFORE_ASIDE = 3;

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Sends what a queue holds, each item at least once under its idempotency key: steadily while the receiver
 * answers, with full-jitter exponential back-off while it does not, of at most twice the time that it has
 * been gone, and never before the time that it asks for. What it refuses for good is settled as refused;
 * everything else stays in the queue until it is acknowledged.
 */
export function createSender({
  queue,
  url,
  token,
  headers = {},
  route = sampleRoute(baseUrl(url)),
  concurrency = 2,
  maxPerSecond = 10,
  deadlineMs = 30_000,
  baseMs = 1000,
  capMs = 300_000,
  fetch = (input, init) => globalThis.fetch(input, init),
  random = Math.random,
  clock = systemClock(),
  network = "addEventListener" in globalThis ? (globalThis as unknown as EventTarget) : undefined,
  onEvent,
}: SenderOptions): Sender {
  checkDeadline(deadlineMs);
  if (!(Number.isInteger(concurrency) && concurrency >= 1))
    throw new RangeError(
      `make a sender: expected concurrency as a whole number from 1 up; got ${concurrency}`,
    );
  checkRate(maxPerSecond);
  if (!(baseMs > 0 && capMs >= baseMs))
    throw new RangeError(`make a sender: expected 0 < baseMs <= capMs; got ${baseMs} and ${capMs}`);

  const lifetime = new AbortController();
  const underWay = new Map<string, Promise<void>>();
  /** Items that wait for their own time, held back from the queue. */
  const aside = new Map<string, number>();
  const failuresOf = new Map<string, number>();
  const flushers = new Set<PromiseWithResolvers>();
  let failures = 0;
  let failingSince = -Infinity;
  /** Not before this time of our own accord, because the receiver said so, and because of the rate. */
  const notBefore = { backoff: -Infinity, asked: -Infinity, rate: -Infinity };
  let stopped = false;
  const alarm = { isRung: false, ring: (): void => {} };

  const wake = (): void => {
    alarm.isRung = true;
    alarm.ring();
  };
  /** Until it is woken, or the given time has come. */
  const waitUntil = async (time = Infinity): Promise<void> => {
    const ms = Math.min(time, ...aside.values()) - clock.now();
    if (!alarm.isRung && ms > 0) {
      let timer: unknown;
      await new Promise<void>((resolve) => {
        alarm.ring = resolve;
        if (ms < Infinity) timer = clock.setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
      });
      clock.clearTimeout(timer);
    }
    alarm.isRung = false;
  };
  const tell = (event: SenderEvent): void => {
    try {
      onEvent?.(event);
    } catch {
      // Who listens must not be able to stop the sending.
    }
  };
  const allHeaders = (): Readonly<Record<string, string>> => {
    const value = typeof token === "function" ? token() : token;
    return value === undefined ? headers : { ...headers, authorization: `Bearer ${value}` };
  };

  const failed = (error: SednaError, isOursToMend: boolean): void => {
    const time = clock.now();
    // Those that failed together are one failure.
    if (time >= Math.max(notBefore.backoff, notBefore.asked)) {
      if (failures === 0) failingSince = time;
      failures++;
    }
    const retryAfterMs = isOursToMend ? capMs : error.retryAfterMs;
    // Short waits that jitter gave must not lead to one of minutes after an outage of seconds.
    const longest = Math.min(capMs, Math.max(baseMs, 2 * (time - failingSince)));
    const wait = backoff({ tried: Math.max(0, failures - 1), baseMs, capMs: longest, retryAfterMs, random });
    const which = retryAfterMs ? "asked" : "backoff";
    notBefore[which] = Math.max(notBefore[which], time + wait);
    if (isOursToMend)
      tell({
        type: "sending-paused",
        message: `${error.message}; expected a token that the receiver takes`,
        retryInMs: wait,
      });
    else tell({ type: "sending-failed", code: error.code, message: error.message, retryInMs: wait });
  };
  const putBack = (id: string, { code }: SednaError): void => {
    if (code === "cloud-unreachable" || code === "cloud-busy") return queue.release(id);
    const tried = (failuresOf.get(id) ?? 0) + 1;
    failuresOf.set(id, tried);
    if (tried < FAILURES_BEFORE_ASIDE) return queue.release(id);
    aside.set(id, clock.now() + backoff({ tried, baseMs, capMs, random }));
  };
  const takeBack = (until: number): void => {
    for (const [id, time] of aside) {
      if (time > until) continue;
      aside.delete(id);
      queue.release(id);
    }
  };

  const send = async (item: { readonly entry: QueueEntry; readonly body: Uint8Array }): Promise<void> => {
    const { id, kind } = item.entry;
    try {
      const result = await deliver(item, {
        route,
        headers: allHeaders,
        deadlineMs,
        fetch,
        signal: lifetime.signal,
      });
      if (result.outcome === "failed" || result.outcome === "unauthorized") {
        failed(result.error, result.outcome === "unauthorized");
        return result.outcome === "unauthorized" ? queue.release(id) : putBack(id, result.error);
      }
      await queue.settle(id, result.outcome);
      failuresOf.delete(id);
      failures = 0;
      if (result.outcome === "rejected")
        tell({ type: "sending-refused", id, kind, message: result.error.message });
    } catch (error) {
      queue.release(id);
      // A queue that cannot take an item off sends it again, and the receiver knows it by its key.
      if (!lifetime.signal.aborted) failed(storageError(error), false);
    }
  };
  const take = async (): Promise<{
    readonly item?: Awaited<ReturnType<DurableQueue["next"]>>;
    readonly failed?: true;
  }> => {
    try {
      return { item: await queue.next() };
    } catch (error) {
      if (error instanceof SednaError && error.code === "disposed") stopped = true;
      else failed(storageError(error), false);
      return { failed: true };
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      takeBack(clock.now());
      const from = Math.max(notBefore.backoff, notBefore.asked, notBefore.rate);
      const isFull = underWay.size >= (failures > 0 ? 1 : concurrency);
      if (isFull || from > clock.now()) {
        await waitUntil(isFull ? Infinity : from);
        continue;
      }
      // Who asks to flush while the queue is being asked may have queued something after it looked.
      const asked = [...flushers];
      const { item, failed: isBroken } = await take();
      if (isBroken) continue;
      if (!item) {
        if (underWay.size === 0 && aside.size === 0) {
          failuresOf.clear();
          for (const { resolve } of asked) resolve();
        }
        await waitUntil();
        continue;
      }
      const { id } = item.entry;
      if (stopped) queue.release(id);
      else {
        notBefore.rate = Math.max(notBefore.rate, clock.now()) + 1000 / maxPerSecond;
        underWay.set(
          id,
          send(item).finally(() => {
            underWay.delete(id);
            wake();
          }),
        );
      }
    }
    for (const { reject } of flushers)
      reject(
        new SednaError("send what is queued: expected a sender at work; it was stopped", {
          code: "disposed",
        }),
      );
  };

  const onOnline = (): void => {
    failures = 0;
    // Not all at once: a whole site may have come online with us.
    notBefore.backoff = Math.min(notBefore.backoff, clock.now() + random() * baseMs);
    wake();
  };
  network?.addEventListener("online", onOnline);
  const running = run();
  let stopping: Promise<void> | undefined;

  return {
    wake,
    async flush({ signal } = {}) {
      signal?.throwIfAborted();
      if (stopped)
        throw new SednaError("flush: expected a sender at work; it was stopped", { code: "disposed" });
      failures = 0;
      notBefore.backoff = notBefore.asked = -Infinity;
      takeBack(Infinity);
      const { onAbort, promise, flusher } = waiting(signal);
      flushers.add(flusher);
      signal?.addEventListener("abort", onAbort, { once: true });
      wake();
      try {
        await promise;
      } finally {
        flushers.delete(flusher);
        signal?.removeEventListener("abort", onAbort);
      }
    },
    stop({ graceMs = 0 } = {}) {
      stopping ??= (async () => {
        stopped = true;
        network?.removeEventListener("online", onOnline);
        wake();
        let timer: unknown;
        const grace = new Promise<void>((resolve) => (timer = clock.setTimeout(resolve, graceMs)));
        await Promise.race([Promise.all([...underWay.values(), running]), grace]);
        clock.clearTimeout(timer);
        lifetime.abort(new SednaError("send a queued item: the sender was stopped", { code: "disposed" }));
        await Promise.all([...underWay.values(), running]);
        takeBack(Infinity);
      })();
      return stopping;
    },
  };
}
