import type { Metrics, MetricSample } from "@sedna-js/core/adapters/prometheus";
import {
  allClients,
  getClient,
  type FederationClient,
  type FederationState,
} from "@sedna-js/core/federation";
import type {
  FederationClientStatus,
  FederationPlan,
  FederationStatus,
  RejectionCode,
} from "@sedna-js/core/wire";
import type { Federation, FederationStats } from "./federation.ts";

/** Counts the work of a federation; see {@link federationStats}. */
export interface StatsCounter {
  bytes(bytes: number): void;
  rejected(code: RejectionCode): void;
  accepted(): void;
  closed(outcome: "aggregated" | "abandoned"): void;
  /** Runs a synchronous function and adds its duration to `busyMs`. */
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

/** Creates counters that start at zero with the process. */
export function federationStats(): StatsCounter {
  const totals = { accepted: 0, bytes: 0, busyMs: 0, aggregated: 0, abandoned: 0 };
  const rejected = new Map<RejectionCode, number>();
  return {
    bytes: (bytes) => void (totals.bytes += bytes),
    rejected: (code) => void rejected.set(code, (rejected.get(code) ?? 0) + 1),
    accepted: () => void totals.accepted++,
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
      rejected: Object.fromEntries(rejected),
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

/** Options of {@link federationStatus}. */
interface FederationStatusOptions {
  readonly plan: FederationPlan;
  readonly state: FederationState;
  readonly now: number;
  readonly epsilons: ReadonlyMap<number, number>;
  readonly privacy: FederationStatus["privacy"] | undefined;
}

/**
 * Returns the public status of a federation, with enough for a page. Clients have numbers there instead of
 * their ids.
 */
export function federationStatus({
  plan,
  state,
  now,
  epsilons,
  privacy,
}: FederationStatusOptions): FederationStatus {
  const { open, phase, round, modelVersion, history } = state;
  return {
    plan,
    state: phase === "open" ? "running" : phase,
    round: open?.round ?? round,
    modelVersion,
    ...(open && { remainingMs: Math.max(0, open.deadlineAt - now) }),
    clients: allClients(state.clients)
      .toSorted((a, b) => a.id - b.id)
      .map((client) => clientStatus(client, state)),
    history: history.map((summary) =>
      summary.outcome === "aggregated" && epsilons.has(summary.round)
        ? { ...summary, epsilon: epsilons.get(summary.round)! }
        : summary,
    ),
    privacy,
  };
}

function clientStatus(
  { client, id, kind, rounds, strikes, quarantinedUntil, present }: FederationClient,
  { open, round, assignments }: FederationState,
): FederationClientStatus {
  const isAtWork =
    getClient(assignments, client) !== undefined ||
    (open !== undefined && getClient(open.selected, client) !== undefined);
  const state =
    quarantinedUntil > round
      ? "quarantined"
      : open && getClient(open.accepted, client)
        ? "accepted"
        : present
          ? isAtWork
            ? "training"
            : "idle"
          : isAtWork
            ? "dropped"
            : "left";
  return { id, state, kind, rounds, strikes };
}

/** Exports the counters of federations as metrics of the cloud. */
export function collectFederationMetrics(federations: readonly Federation[], metrics: Metrics): void {
  const collect = (
    name: string,
    read: (
      federation: Federation,
    ) => readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[],
  ): void => {
    metrics.collect(name, (): readonly MetricSample[] =>
      federations.flatMap((federation) =>
        read(federation).map(({ labels = {}, value }) => ({
          labels: { federation: federation.plan.name, ...labels },
          value,
        })),
      ),
    );
  };
  collect("sedna_federation_rounds_total", (federation) => {
    const { aggregated, abandoned } = federation.stats();
    return [
      { labels: { outcome: "aggregated" }, value: aggregated },
      { labels: { outcome: "abandoned" }, value: abandoned },
    ];
  });
  collect("sedna_federation_updates_total", (federation) => {
    const { accepted, rejected } = federation.stats();
    return [
      { labels: { code: "accepted" }, value: accepted },
      ...Object.entries(rejected).map(([code, value]) => ({ labels: { code }, value })),
    ];
  });
  collect("sedna_federation_bytes_total", (federation) => [{ value: federation.stats().bytes }]);
  collect("sedna_federation_check_seconds_total", (federation) => [
    { value: federation.stats().busyMs / 1000 },
  ]);
  collect("sedna_federation_uploads", (federation) => {
    const { taken, waiting } = federation.stats();
    return [
      { labels: { state: "in memory" }, value: taken },
      { labels: { state: "waiting" }, value: waiting },
    ];
  });
  collect("sedna_federation_open_seconds", (federation) => [
    { value: (federation.stats().openForMs ?? 0) / 1000 },
  ]);
  collect("sedna_federation_model_version", (federation) => [{ value: federation.stats().modelVersion }]);
}
