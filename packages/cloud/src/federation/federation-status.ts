import type { FederationClient, FederationClientStatus, FederationPlan, FederationState, FederationStatus } from "@sedna-js/core";

/** What a federation tells of itself: enough for a page, and no client's id. */
export function federationStatus({ plan, state, now, epsilons, privacy }: { readonly plan: FederationPlan; readonly state: FederationState; readonly now: number; readonly epsilons: ReadonlyMap<number, number>; readonly privacy?: NonNullable<FederationStatus["privacy"]> }): FederationStatus {
  const { open, phase, round, modelVersion, history } = state;
  return {
    plan,
    state: phase === "open" ? "running" : phase,
    round: open?.round ?? round,
    modelVersion,
    ...(open && { remainingMs: Math.max(0, open.deadlineAt - now) }),
    clients: Object.values(state.clients).map((client, id) => clientStatus(client, { id, state })),
    history: history.map((summary) => (summary.outcome === "aggregated" && epsilons.has(summary.round) ? { ...summary, epsilon: epsilons.get(summary.round)! } : summary)),
    ...(privacy && { privacy }),
  };
}

function clientStatus({ client, kind, rounds, strikes, quarantinedUntil, present }: FederationClient, { id, state: { open, round, assignments } }: { readonly id: number; readonly state: FederationState }): FederationClientStatus {
  const isAtWork = Object.hasOwn(assignments, client) || (open !== undefined && open.selected.includes(client));
  const state = quarantinedUntil > round ? "quarantined" : open && Object.hasOwn(open.counted, client) ? "counted" : present ? (isAtWork ? "training" : "idle") : isAtWork ? "dropped" : "left";
  return { id, state, kind, rounds, strikes };
}
