import { messageOf } from "@sedna-js/core/errors";
import type { FederationEvent } from "@sedna-js/core/federation";
import type { Logger } from "../../http/service.ts";
import type { Timers } from "../../timers.ts";
import { sumBlob } from "../log/blob-names.ts";
import type { FederationLog, FederationRecord, SumCheckpoint } from "../log/federation-log.ts";
import { bytesOf } from "../log/float-bytes.ts";

/** The current state of the active round's accumulator. */
export interface AccumulatorState {
  readonly round: number;
  readonly count: number;
  readonly totalWeight: number;
  /** `undefined` if the aggregator needs the updates, which have their own blobs. */
  readonly mean: Float32Array | undefined;
}

/** Options of {@link createRoundJournal}. */
export interface RoundJournalOptions {
  readonly log: FederationLog;
  /** Returns the state of the accumulator after all events that were noted so far. */
  readonly sum: () => AccumulatorState | undefined;
  /**
   * Name of the blob with the log's last checkpoint. It is not overwritten before the log names another one.
   */
  readonly lastSum?: string | undefined;
  /** Accepted updates that a crash may lose; when there are as many, they are written. Default 64. */
  readonly maxUnwritten?: number | undefined;
  /** Maximum time before an accepted update is written, in ms. Default 2000. */
  readonly maxWaitMs?: number | undefined;
  /** Delay before a failed write is retried, in ms. Default 1000. */
  readonly retryMs?: number;
  readonly logger: Logger;
  readonly timers: Timers;
}

/** Writes events to the log; see {@link createRoundJournal}. */
export interface RoundJournal {
  /** Adds an event that was just reduced. */
  note(event: FederationEvent): void;
  /** Adds a record after everything noted so far. */
  noteRecord(record: FederationRecord): void;
  /**
   * Replaces the log with a record that contains everything noted so far. If that fails, the log stays as it
   * is.
   */
  beginAnew(record: FederationRecord): void;
  /**
   * Resolves when everything noted so far is on the disk; with a full disk, when there is space again.
   * Rejects if the journal is closed before that.
   */
  flush(): Promise<void>;
  /** Writes blobs. Resolves and rejects like {@link RoundJournal.flush}. */
  keep(blobs: Readonly<Record<string, Float32Array>>): Promise<void>;
  /** False while writes to the log fail. */
  readonly healthy: boolean;
  /** Writes everything noted so far. A failed write is not retried, and its events are lost. */
  close(): Promise<void>;
}

interface Entry {
  readonly record?: FederationRecord;
  /** Replaces all records before it. */
  readonly replacement?: FederationRecord;
  readonly blobs: Readonly<Record<string, Float32Array>>;
  readonly waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
}

/**
 * Writes events in the order in which they were reduced. Accepted updates are collected, and then written in
 * one record with the checkpoint that contains them. Later events wait for them, so that a replay sees the
 * same order. All other events are written at once.
 */
export function createRoundJournal({
  log,
  sum,
  lastSum,
  maxUnwritten = 64,
  maxWaitMs = 2000,
  retryMs = 1000,
  logger,
  timers,
}: RoundJournalOptions): RoundJournal {
  const queue: Entry[] = [];
  let noted: FederationEvent[] = [];
  let countedNumber = 0;
  /** Checkpoints alternate between two blobs, so that the last one stays until the log names the next. */
  let turn = lastSum === sumBlob(1) ? 1 : 0;
  let waiting: unknown;
  let working: Promise<void> | undefined;
  let pause: { readonly timer: unknown; readonly end: () => void } | undefined;
  const state = { healthy: true, closed: false };
  const closedError = (): Error =>
    new Error("write to the federation's log: expected an open log; got a closed one");

  /**
   * Returns the checkpoint of the next entry. `former` is a checkpoint that was not written and is obsolete.
   */
  const checkpoint = (
    former: SumCheckpoint | undefined,
  ): { readonly written?: SumCheckpoint; readonly blobs: Readonly<Record<string, Float32Array>> } => {
    const now = countedNumber > 0 || former ? sum() : undefined;
    if (!now) return { blobs: {} };
    const { round, count, totalWeight, mean } = now;
    if (!mean) return { written: { round, count, totalWeight }, blobs: {} };
    if (former?.mean === undefined) turn = 1 - turn;
    const name = sumBlob(turn);
    return { written: { round, count, totalWeight, mean: name }, blobs: { [name]: mean } };
  };

  /**
   * Removes and returns the last entry after the one that is being written, if no caller waits for it. A disk
   * that is full for days must not fill the memory with checkpoints.
   */
  const takeBack = (): Extract<FederationRecord, { type: "events" }> | undefined => {
    const last = queue.length > 1 ? queue.at(-1)! : undefined;
    if (last?.record?.type !== "events" || last.waiters.length > 0) return undefined;
    queue.pop();
    return last.record;
  };

  /** Makes an entry of all noted events, with the current state of the accumulator. */
  const seal = (): void => {
    if (waiting !== undefined) timers.clear(waiting);
    waiting = undefined;
    if (noted.length === 0) return;
    const former = takeBack();
    const { written, blobs } = checkpoint(former?.sum);
    // Reuse the list, so that days of events are not copied each time.
    const events = (former?.events ?? []) as FederationEvent[];
    for (const event of noted) events.push(event);
    queue.push({ record: { type: "events", events, ...(written && { sum: written }) }, blobs, waiters: [] });
    noted = [];
    countedNumber = 0;
    start();
  };

  const work = async (): Promise<void> => {
    for (let entry = queue[0]; entry; entry = queue[0]) {
      try {
        for (const [name, values] of Object.entries(entry.blobs)) await log.putBlob(name, bytesOf(values));
        if (entry.record) await log.append([entry.record]);
        if (entry.replacement)
          await log
            .replace([entry.replacement])
            .catch((error: unknown) =>
              logger.error({ error: messageOf(error) }, "the federation's log could not be replaced"),
            );
        state.healthy = true;
        queue.shift();
        for (const { resolve } of entry.waiters) resolve();
      } catch (error) {
        if (state.healthy) logger.error({ error: messageOf(error) }, "writes to the federation's log fail");
        state.healthy = false;
        if (state.closed) return;
        await new Promise<void>((end) => (pause = { timer: timers.set(end, retryMs), end }));
        pause = undefined;
      }
    }
  };

  const start = (): void => {
    working ??= work().finally(() => (working = undefined));
  };

  /** Returns a promise that resolves when the last entry is written. */
  const written = (): Promise<void> => {
    const last = queue.at(-1);
    return last
      ? new Promise((resolve, reject) => last.waiters.push({ resolve, reject }))
      : Promise.resolve();
  };

  return {
    note(event) {
      noted.push(event);
      if (event.type === "accepted" || event.type === "summed") countedNumber++;
      if (countedNumber === 0 || countedNumber >= maxUnwritten) seal();
      else waiting ??= timers.set(seal, maxWaitMs);
    },
    async flush() {
      if (state.closed) throw closedError();
      seal();
      await written();
    },
    noteRecord(record) {
      seal();
      queue.push({ record, blobs: {}, waiters: [] });
      start();
    },
    beginAnew(record) {
      seal();
      queue.push({ replacement: record, blobs: {}, waiters: [] });
      start();
    },
    async keep(blobs) {
      if (state.closed) throw closedError();
      seal();
      queue.push({ blobs, waiters: [] });
      start();
      await written();
    },
    get healthy() {
      return state.healthy;
    },
    async close() {
      if (state.closed) return;
      seal();
      state.closed = true;
      if (pause) {
        timers.clear(pause.timer);
        pause.end();
      }
      await working;
      for (const { waiters } of queue.splice(0)) for (const { reject } of waiters) reject(closedError());
    },
  };
}
