import { SednaError } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import type { DropReason, DurableQueue, NewItem, QueueEvent, OverflowPolicy } from "./durable-queue.ts";
import { createItemStore } from "./item-store.ts";
import { createPendingItems, type QueueItem } from "./pending-items.ts";
import { queueClock } from "./queue-clock.ts";
import type { QueueEntry, QueueMark, QueueStore, StoredQueue } from "./queue-store.ts";

/** Interval at which the state of the queue's clock is stored while the queue is used, in ms. */
const MARK_MS = 60_000;

const policies: readonly string[] = [
  "reject-new",
  "drop-oldest",
  "drop-lowest-priority",
] satisfies OverflowPolicy[];

/** Options of {@link openQueue}. */
export interface OpenQueueOptions {
  /** The store, which is opened here and closed with the queue. */
  readonly store: QueueStore;
  /** Prefix of each item's id. */
  readonly deviceId: string;
  /** Maximum number of items. Default 10 000. */
  readonly maxItems?: number;
  /** Maximum total size of all bodies, in bytes. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Time to live of items that do not set their own, in ms. Default one week. */
  readonly ttlMs?: number;
  /** Which item to drop when the queue is full. Default: the oldest. */
  readonly whenFull?: OverflowPolicy;
  /** Limits of the items in memory while the store fails. Default 1000 items and 16 MiB. */
  readonly memory?: { readonly items: number; readonly bytes: number };
  /** Monotonic clock, in ms. Default `performance.now()`. */
  readonly now?: () => number;
  /** Wall clock: Unix time in ms. */
  readonly wallNow?: () => number;
  readonly onEvent?: (event: QueueEvent) => void;
}

/**
 * Opens a queue on a store. Items stored earlier are pending again. Items of higher priority are sent first,
 * then older ones. An item that has expired, or that does not fit under the policy, is dropped and counted
 * with the reason; an item leased to a sender is not dropped. If the store is full, some of its items are
 * evicted once. Items that it still rejects are kept in a bounded memory until the store accepts them.
 *
 * @throws {SednaError} `storage-failed` if the store cannot be opened.
 */
export async function openQueue({
  store,
  deviceId,
  maxItems = 10_000,
  maxBytes = 256 * 1024 * 1024,
  ttlMs = 7 * 24 * 3_600_000,
  whenFull = "drop-oldest",
  memory = { items: 1000, bytes: 16 * 1024 * 1024 },
  now = () => performance.now(),
  wallNow = () => Date.now(),
  onEvent = () => undefined,
}: OpenQueueOptions): Promise<DurableQueue> {
  if (typeof deviceId !== "string" || deviceId === "")
    throw new TypeError(`open a queue: expected deviceId to be a string; got ${describeValue(deviceId)}`);
  checkQueueLimits({ maxItems, maxBytes, ttlMs, whenFull });

  const stored = await store.open();
  const clock = queueClock({ last: lastMark(stored), longestPauseMs: ttlMs / 2, now, wallNow });
  const waiting = createPendingItems(whenFull);
  const dropped: Record<DropReason, number> = {
    full: 0,
    expired: 0,
    "storage-full": 0,
    rejected: 0,
    lost: 0,
  };
  const counts = { queued: 0, sent: 0 };
  const underWay = new Set<Promise<unknown>>();
  let { lastSequence } = stored;
  let markedAt = -Infinity;
  let closing: Promise<void> | undefined;

  const countDropped = (items: readonly QueueItem[], reason: DropReason): void => {
    for (const { entry } of items) {
      dropped[reason]++;
      onEvent({ type: "item-dropped", id: entry.id, kind: entry.kind, bytes: entry.bytes, reason });
    }
  };
  const keeper = createItemStore({ store, waiting, whenFull, memory, now, onEvent, onDropped: countDropped });

  const refuseClosed = (action: string): void => {
    if (closing)
      throw new SednaError(`${action}: expected an open queue; got one that is closed`, { code: "disposed" });
  };
  /** Makes `close` wait for this work. */
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    const leave = (): void => void underWay.delete(work);
    work.then(leave, leave);
    return work;
  };
  const drop = async (items: readonly QueueItem[], reason: DropReason): Promise<void> => {
    if (items.length === 0) return;
    countDropped(items, reason);
    await keeper.forget(items);
  };
  const dropExpired = async (): Promise<void> => {
    const expired: QueueItem[] = [];
    for (let item = waiting.takeExpired(clock.now()); item; item = waiting.takeExpired(clock.now()))
      expired.push(item);
    await drop(expired, "expired");
  };
  const isWithin = (freed: { readonly items: number; readonly bytes: number }, extra?: QueueEntry): boolean =>
    waiting.size - freed.items + (extra ? 1 : 0) <= maxItems &&
    waiting.bytes - freed.bytes + (extra?.bytes ?? 0) <= maxBytes;
  const mark = async (): Promise<void> => {
    if (now() - markedAt < MARK_MS) return;
    markedAt = now();
    // Without the mark, waiting time is estimated from an older one.
    await store.mark(clock.mark()).catch(() => undefined);
  };

  const take = async (
    entry: QueueEntry,
    body: Uint8Array,
  ): Promise<{ readonly id: string; readonly dropped?: DropReason }> => {
    const item: QueueItem = { entry, state: "storing" };
    const refuse = (reason: DropReason): { readonly id: string; readonly dropped: DropReason } => {
      countDropped([item], reason);
      return { id: entry.id, dropped: reason };
    };
    const way =
      entry.bytes > maxBytes ? undefined : waiting.evict((freed) => isWithin(freed, entry), { entry });
    if (!way) return refuse("full");
    // Add the item before it is stored, so that concurrent items also stay within the limits.
    waiting.add(item);
    // Run both together, so that a log writes them at once.
    const [isKept] = await Promise.all([
      keeper.recover().then(() => keeper.keep(item, body)),
      drop(way, "full"),
    ]);
    if (!isKept) {
      waiting.remove(item);
      return refuse("storage-full");
    }
    waiting.wait(item);
    counts.queued++;
    onEvent({ type: "item-queued", id: entry.id, kind: entry.kind, bytes: entry.bytes });
    await mark();
    return { id: entry.id };
  };

  const lease = async (): Promise<{ readonly entry: QueueEntry; readonly body: Uint8Array } | undefined> => {
    await dropExpired();
    for (let item = waiting.lease(); item; item = waiting.lease()) {
      const body = await keeper.body(item).catch((error: unknown) => {
        waiting.wait(item);
        throw error;
      });
      if (body) return { entry: item.entry, body };
      waiting.remove(item);
      await drop([item], "lost");
    }
    return undefined;
  };

  if (stored.damagedNumber > 0)
    onEvent({
      type: "queue-degraded",
      message: `open the queue: expected an undamaged store; got ${stored.damagedNumber} damaged parts, whose items are lost`,
    });
  for (const entry of stored.entries) {
    const item: QueueItem = { entry, state: "storing" };
    waiting.add(item);
    waiting.wait(item);
  }
  await dropExpired();
  await drop(waiting.evict((freed) => isWithin(freed)) ?? [], "full");
  await mark();

  return {
    async enqueue(item) {
      refuseClosed("queue an item");
      const { kind, privacyKind, body, priority = 0, ttlMs: itemTtlMs = ttlMs } = checkItem(item);
      const sequence = ++lastSequence;
      const entry = {
        id: `${deviceId}-${stored.epoch}-${sequence}`,
        sequence,
        kind,
        ...(privacyKind !== undefined && { privacyKind }),
        priority,
        createdAt: wallNow(),
        queuedAtMs: clock.now(),
        ttlMs: itemTtlMs,
        bytes: body.length,
      };
      return tracked(dropExpired().then(() => take(entry, body)));
    },
    async next() {
      refuseClosed("take the next item");
      return tracked(lease());
    },
    async settle(id, outcome) {
      refuseClosed("settle an item");
      const item = waiting.get(id);
      if (!item || item.state === "storing") return;
      waiting.remove(item);
      if (outcome === "rejected") countDropped([item], "rejected");
      else {
        counts.sent++;
        onEvent({
          type: "item-sent",
          id,
          kind: item.entry.kind,
          bytes: item.entry.bytes,
          duplicate: outcome === "duplicate",
        });
      }
      await tracked(
        keeper
          .forget([item])
          .then(() => keeper.recover())
          .then(mark),
      );
    },
    release(id) {
      const item = waiting.get(id);
      if (item?.state === "leased") waiting.wait(item);
    },
    stats() {
      const oldest = waiting.oldestQueuedAtMs();
      return {
        items: waiting.size,
        bytes: waiting.bytes,
        oldestAgeMs: oldest === undefined ? 0 : Math.max(0, clock.now() - oldest),
        queuedNumber: counts.queued,
        sentNumber: counts.sent,
        droppedNumber: { ...dropped },
        durable: keeper.isDurable,
      };
    },
    close() {
      closing ??= (async () => {
        await Promise.allSettled(underWay);
        await keeper.recover({ atOnce: true });
        countDropped(keeper.inMemory(), "storage-full");
        await store.mark(clock.mark()).catch(() => undefined);
        await store.close();
      })();
      return closing;
    },
  };
}

/** Checks an item before it is queued. */
function checkItem(item: NewItem): NewItem {
  const { kind, body, priority = 0, ttlMs = 1 } = item;
  if (typeof kind !== "string" || kind === "")
    throw new TypeError(`queue an item: expected kind to be a string; got ${describeValue(kind)}`);
  if (!(body instanceof Uint8Array))
    throw new TypeError(`queue an item: expected body to be a Uint8Array; got ${describeValue(body)}`);
  if (!Number.isFinite(priority))
    throw new RangeError(`queue an item: expected a finite priority; got ${priority}`);
  if (!(ttlMs > 0 && ttlMs < Infinity))
    throw new RangeError(`queue an item: expected ttlMs above 0; got ${ttlMs}`);
  return item;
}

/** Validates the limits of a queue. @throws {RangeError} If a limit is out of range. */
export function checkQueueLimits({
  whenFull = "reject-new",
  ttlMs = 1,
  ...bounds
}: Pick<OpenQueueOptions, "maxItems" | "maxBytes" | "ttlMs" | "whenFull">): void {
  for (const [name, value] of Object.entries(bounds))
    if (!(value > 0)) throw new RangeError(`open a queue: expected ${name} above 0; got ${value}`);
  if (!(ttlMs > 0 && ttlMs < Infinity))
    throw new RangeError(`open a queue: expected ttlMs above 0, and finite; got ${ttlMs}`);
  if (!policies.includes(whenFull))
    throw new RangeError(
      `open a queue: expected whenFull as one of ${policies.join(", ")}; got ${describeValue(whenFull)}`,
    );
}

/** Returns the latest known state of the queue's clock. An item may have been stored after the last mark. */
function lastMark({ mark, entries }: StoredQueue): QueueMark | undefined {
  const known = entries.map(({ queuedAtMs, createdAt }): QueueMark => ({
    queueMs: queuedAtMs,
    wallMs: createdAt,
  }));
  return [...(mark ? [mark] : []), ...known].reduce<QueueMark | undefined>(
    (a, b) => (a && a.queueMs >= b.queueMs ? a : b),
    undefined,
  );
}
