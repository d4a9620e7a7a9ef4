import type { UpdateRefusal } from "@sedna-js/core";
import type { FederationStats } from "./federation.ts";

/** Counts what a federation does; see {@link federationStats}. */
export interface StatsCounter {
  bytes(bytes: number): void;
  refused(code: UpdateRefusal): void;
  counted(): void;
  closed(outcome: "aggregated" | "abandoned"): void;
  /** Runs something synchronous, and adds up how long it took. */
  timed<T>(work: () => T): T;
  read(now: {
    readonly waiting: number;
    readonly taken: number;
    readonly listeners: number;
    readonly healthy: boolean;
    readonly closing: boolean;
    readonly openedAt: number | undefined;
    readonly modelVersion: number;
    readonly now: number;
  }): FederationStats;
}

/** Counters since the process began. */
export function federationStats(): StatsCounter {
  const totals = { counted: 0, bytes: 0, busyMs: 0, aggregated: 0, abandoned: 0 };
  const refused = new Map<UpdateRefusal, number>();
  return {
    bytes: (bytes) => void (totals.bytes += bytes),
    refused: (code) => void refused.set(code, (refused.get(code) ?? 0) + 1),
    counted: () => void totals.counted++,
    closed: (outcome) => void totals[outcome]++,
    timed(work) {
      const started = performance.now();
      try {
        return work();
      } finally {
        totals.busyMs += performance.now() - started;
      }
    },
    read: ({ waiting, taken, listeners, healthy, closing, openedAt, modelVersion, now }) => ({
      ...totals,
      refused: Object.fromEntries(refused),
      waiting,
      taken,
      listeners,
      healthy,
      closing,
      modelVersion,
      ...(openedAt !== undefined && { openForMs: Math.max(0, now - openedAt) }),
    }),
  };
}
