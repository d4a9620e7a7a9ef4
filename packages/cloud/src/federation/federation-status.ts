import {
  entriesOf,
  entryOf,
  type FederationClient,
  type FederationClientStatus,
  type FederationPlan,
  type FederationState,
  type FederationStatus,
} from "@sedna-js/core";

/** What a federation tells of itself: enough for a page, and no client's id. */
export function federationStatus({
  plan,
  state,
  now,
  epsilons,
  privacy,
}: {
  readonly plan: FederationPlan;
  readonly state: FederationState;
  readonly now: number;
  readonly epsilons: ReadonlyMap<number, number>;
  readonly privacy?: NonNullable<FederationStatus["privacy"]>;
}): FederationStatus {
  const { open, phase, round, modelVersion, history } = state;
  return {
    plan,
    state: phase === "open" ? "running" : phase,
    round: open?.round ?? round,
    modelVersion,
    ...(open && { remainingMs: Math.max(0, open.deadlineAt - now) }),
    clients: entriesOf(state.clients)
      .toSorted((a, b) => a.id - b.id)
      .map((client) => clientStatus(client, state)),
    history: history.map((summary) =>
      summary.outcome === "aggregated" && epsilons.has(summary.round)
        ? { ...summary, epsilon: epsilons.get(summary.round)! }
        : summary,
    ),
    ...(privacy && { privacy }),
  };
}

function clientStatus(
  { client, id, kind, rounds, strikes, quarantinedUntil, present }: FederationClient,
  { open, round, assignments }: FederationState,
): FederationClientStatus {
  const isAtWork =
    entryOf(assignments, client) !== undefined ||
    (open !== undefined && entryOf(open.selected, client) !== undefined);
  const state =
    quarantinedUntil > round
      ? "quarantined"
      : open && entryOf(open.counted, client)
        ? "counted"
        : present
          ? isAtWork
            ? "training"
            : "idle"
          : isAtWork
            ? "dropped"
            : "left";
  return { id, state, kind, rounds, strikes };
}
