import { messageOf } from "@sedna-js/core/errors";
import type { FederationEvent } from "@sedna-js/core/federation";
import type { Logger } from "../../http/service.ts";
import type { Timers } from "../../timers.ts";
import { sumBlob } from "../log/blob-names.ts";
import type { FederationLog, FederationRecord, SumCheckpoint } from "../log/federation-log.ts";
import { bytesOf } from "../log/float-bytes.ts";

/** The sum of the open round as it is now. */
export interface AccumulatorState {
  readonly round: number;
  readonly count: number;
  readonly totalWeight: number;
  /** Undefined for a rule whose updates are blobs of their own. */
  readonly mean: Float32Array | undefined;
}

/** Options of {@link createRoundJournal}. */
export interface RoundJournalOptions {
  readonly log: FederationLog;
  /** The sum that the events which were noted so far have led to. */
  readonly sum: () => AccumulatorState | undefined;
  /** Name of the blob that the log's last sum is in; it is not written to before the log names another. */
  readonly lastSum?: string | undefined;
  /** Updates that a death may lose: more are written down. Default 64. */
  readonly maxUnwritten?: number | undefined;
  /** How long an update may wait to be written down, in ms. Default 2000. */
  readonly maxWaitMs?: number | undefined;
  /** How long after a failure it is tried again, in ms. Default 1000. */
  readonly retryMs?: number;
  readonly logger: Logger;
  readonly timers: Timers;
}

/** Events on their way to the log; see {@link createRoundJournal}. */
export interface RoundJournal {
  /** An event that was reduced just now. */
  note(event: FederationEvent): void;
  /** A record of its own, behind all that was noted. */
  noteRecord(record: FederationRecord): void;
  /**
   * Begins the log anew with a record that tells all that was noted so far; where there is no room for it the
   * log stays as it is.
   */
  beginAnew(record: FederationRecord): void;
  /**
   * Resolves when all that was noted is on the disk; with a full disk, when there is room again. Rejects when
   * the journal is closed before.
   */
  flush(): Promise<void>;
  /** Keeps blobs; resolves and rejects as {@link RoundJournal.flush}. */
  keep(blobs: Readonly<Record<string, Float32Array>>): Promise<void>;
  /** False while the disk takes nothing. */
  readonly healthy: boolean;
  /** Writes what was noted, once more and not again; what cannot be written then is lost. */
  close(): Promise<void>;
}

interface Entry {
  readonly record?: FederationRecord;
  /** Takes the place of all records before it. */
  readonly anew?: FederationRecord;
  readonly blobs: Readonly<Record<string, Float32Array>>;
  readonly waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
}

/**
 * Writes events in the order in which they were reduced. Counted updates wait for each other, and then go
 * down in one record with the sum that they are part of; whatever comes behind them waits too, so that a
 * replay sees the same order. All else is written at once.
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
  /** Checkpoints are written to two blobs in turn: the last one stays until the log names the next. */
  let turn = lastSum === sumBlob(1) ? 1 : 0;
  let waiting: unknown;
  let working: Promise<void> | undefined;
  let pause: { readonly timer: unknown; readonly end: () => void } | undefined;
  const state = { healthy: true, closed: false };
  const closedError = (): Error =>
    new Error("write to the federation's log: expected one that is open; got a closed one");

  /** `former` was not written, and is not going to be. */
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
   * Takes back what waits behind the entry that is being written, if nobody waits for it: a disk that is full
   * for days must not fill the memory with sums.
   */
  const takeBack = (): Extract<FederationRecord, { type: "events" }> | undefined => {
    const last = queue.length > 1 ? queue.at(-1)! : undefined;
    if (last?.record?.type !== "events" || last.waiters.length > 0) return undefined;
    queue.pop();
    return last.record;
  };

  /** Makes an entry of all that was noted, with the sum as it is in this moment. */
  const seal = (): void => {
    if (waiting !== undefined) timers.clear(waiting);
    waiting = undefined;
    if (noted.length === 0) return;
    const former = takeBack();
    const { written, blobs } = checkpoint(former?.sum);
    // In the same list: days of events are not copied at each.
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
        if (entry.anew)
          await log
            .replace([entry.anew])
            .catch((error: unknown) =>
              logger.error({ error: messageOf(error) }, "the federation's log could not be begun anew"),
            );
        state.healthy = true;
        queue.shift();
        for (const { resolve } of entry.waiters) resolve();
      } catch (error) {
        if (state.healthy) logger.error({ error: messageOf(error) }, "the federation's log takes nothing");
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

  /** What resolves when the last entry is written. */
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
      queue.push({ anew: record, blobs: {}, waiters: [] });
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
