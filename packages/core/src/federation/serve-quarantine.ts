import { isQuarantined } from "./federation-clients.ts";
import type { FederationState } from "./federation-state.ts";
import { entriesOf, rosterOf } from "./client-map.ts";
import { roundTargets } from "./round-settings.ts";

/**
 * When a wait for clients has lasted a round's time, unix ms, where some that are there are in quarantine and could be enough: undefined
 * where they are not what is missing. Without this the quarantine, which is counted in rounds, and the round, which lacks
 * who is in it, would wait for each other for ever.
 */
export function quarantineServedAt(state: FederationState): number | undefined {
  const { clients, present, settings, overdue, waitingSince } = state;
  if (!overdue || present < roundTargets(settings).minimum) return undefined;
  const isHeldUp = entriesOf(clients).some((client) => client.present && isQuarantined(state, client));
  return isHeldUp ? waitingSince + settings.deadlineMs : undefined;
}

/** The state after a wait that lasted a round's time: one round of everybody's quarantine is over. */
export function withQuarantineServed(state: FederationState, at: number): FederationState {
  const servedAt = quarantineServedAt(state);
  if (servedAt === undefined || at < servedAt) return state;
  const clients = entriesOf(state.clients).map((client) =>
    isQuarantined(state, client) ? { ...client, quarantinedUntil: client.quarantinedUntil - 1 } : client,
  );
  return { ...state, clients: rosterOf(clients), waitingSince: at };
}
