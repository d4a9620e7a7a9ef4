import { SednaError } from "@sedna-js/core";
import { backoff, checkDeadline, waitAtMost } from "@sedna-js/core/async";
import { baseUrl } from "../http/base-url.ts";
import { systemClock } from "./clock.ts";
import { deliver, sampleRoute } from "./deliver.ts";
import type { DurableQueue } from "./durable-queue.ts";
import type { QueueEntry } from "./queue-store.ts";
import { checkRate, type PromiseWithResolvers, storageError, waiting } from "./sender-waits.ts";
import type { Sender, SenderEvent, SenderOptions } from "./sender.ts";

/**
 * An item that has failed this often, although the receiver was reachable, may itself be the cause: send
 * others first.
 */
const FAILURES_BEFORE_ASIDE = 3;

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Creates a sender. It sends each item of a queue at least once, under its idempotency key. While the
 * receiver responds, it sends at a steady rate. Otherwise it retries with full-jitter exponential backoff, of
 * at most twice the duration of the outage, and never before the time that the receiver requests. Items that
 * the receiver permanently rejects are settled as rejected; all others stay in the queue until they are
 * acknowledged.
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
      `create a sender: expected concurrency as a whole number from 1 up; got ${concurrency}`,
    );
  checkRate(maxPerSecond);
  if (!(baseMs > 0 && capMs >= baseMs))
    throw new RangeError(`create a sender: expected 0 < baseMs <= capMs; got ${baseMs} and ${capMs}`);

  const lifetime = new AbortController();
  const underWay = new Map<string, Promise<void>>();
  /** Items held back from the queue, with the time of their next attempt. */
  const aside = new Map<string, number>();
  const failuresOf = new Map<string, number>();
  const flushers = new Set<PromiseWithResolvers>();
  let failures = 0;
  let failingSince = -Infinity;
  /** Earliest time of the next request: due to backoff, a request of the receiver, and the rate limit. */
  const notBefore = { backoff: -Infinity, asked: -Infinity, rate: -Infinity };
  let stopped = false;
  const alarm = { isRung: false, ring: (): void => {} };

  const wake = (): void => {
    alarm.isRung = true;
    alarm.ring();
  };
  /** Resolves when woken, or at the given time. */
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
      // A listener must not stop the sender.
    }
  };
  const allHeaders = (): Readonly<Record<string, string>> => {
    const value = typeof token === "function" ? token() : token;
    return value === undefined ? headers : { ...headers, authorization: `Bearer ${value}` };
  };

  const failed = (error: SednaError, isOursToMend: boolean): void => {
    const time = clock.now();
    // Requests that fail together are one failure.
    if (time >= Math.max(notBefore.backoff, notBefore.asked)) {
      if (failures === 0) failingSince = time;
      failures++;
    }
    const retryAfterMs = isOursToMend ? capMs : error.retryAfterMs;
    // Short jittered delays must not lead to a delay of minutes after an outage of seconds.
    const longest = Math.min(capMs, Math.max(baseMs, 2 * (time - failingSince)));
    const wait = backoff({ tried: Math.max(0, failures - 1), baseMs, capMs: longest, retryAfterMs, random });
    const which = retryAfterMs ? "asked" : "backoff";
    notBefore[which] = Math.max(notBefore[which], time + wait);
    if (isOursToMend)
      tell({
        type: "upload-paused",
        message: `${error.message}; expected a token that the receiver accepts`,
        retryInMs: wait,
      });
    else tell({ type: "upload-failed", code: error.code, message: error.message, retryInMs: wait });
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
        tell({ type: "upload-rejected", id, kind, message: result.error.message });
    } catch (error) {
      queue.release(id);
      // If the queue cannot remove an item, it is sent again. The receiver recognizes its key.
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
      // A flush requested while the queue is read may refer to an item that was queued after the read.
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
        new SednaError("send queued items: expected an active sender; it was stopped", {
          code: "disposed",
        }),
      );
  };

  const onOnline = (): void => {
    failures = 0;
    // Spread the requests: a whole site may have come online at the same time.
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
        throw new SednaError("flush: expected an active sender; it was stopped", { code: "disposed" });
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
        await waitAtMost(Promise.all([...underWay.values(), running]), graceMs, clock);
        lifetime.abort(new SednaError("send a queued item: the sender was stopped", { code: "disposed" }));
        await Promise.all([...underWay.values(), running]);
        takeBack(Infinity);
      })();
      return stopping;
    },
  };
}
