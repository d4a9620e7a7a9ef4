import { allClients, clientMap } from "./client-map.ts";
import { isQuarantined } from "./federation-clients.ts";
import type { FederationState } from "./federation-state.ts";
import { roundTargets } from "./round-settings.ts";

/**
 * Returns the time of the next `ticked` event that the reducer needs, in unix ms: the first deadline of the
 * active round and its assignments, or the end of the wait for clients. `undefined` if only another event can
 * advance the federation. Call it again after each event.
 */
export function nextTick(state: FederationState): number | undefined {
  const { phase, open, settings, assignments, present, overdue, waitingSince } = state;
  if (phase === "done" || open?.closing === true) return undefined;
  if (open !== undefined)
    return allClients(assignments).reduce((first, { until }) => Math.min(first, until), open.deadlineAt);
  if (overdue) return quarantineReleaseAt(state);
  return present < roundTargets(settings).minimum
    ? undefined
    : waitingSince + Math.max(settings.selectionMs, delayAfterFailures(state));
}

/** Delay after the first failed round, in ms; it doubles with each further one. */
const MIN_MS = 1000;
const MAX_MS = 60_000;

/**
 * Returns the delay before a new round starts after consecutive rounds were abandoned before their deadline,
 * in ms. Without it, an aggregator that rejects its cohort, or a secure aggregation that too many clients
 * leave, would request the same work from all clients again and again. Rounds that were abandoned at their
 * deadline have waited long enough.
 */
export function delayAfterFailures({
  history,
  settings,
}: Pick<FederationState, "history" | "settings">): number {
  const failures =
    history.length -
    1 -
    history.findLastIndex(
      ({ outcome, durationMs }) => outcome !== "abandoned" || durationMs >= settings.deadlineMs,
    );
  return failures === 0 ? 0 : Math.min(MAX_MS, MIN_MS * 2 ** (failures - 1));
}

/**
 * Returns the time at which a wait for clients has lasted as long as a round, in unix ms, if present clients
 * in quarantine could make up the missing number; otherwise `undefined`. Without this limit, the quarantine,
 * which is counted in rounds, and the round, which lacks the quarantined clients, would wait for each other
 * forever.
 */
function quarantineReleaseAt(state: FederationState): number | undefined {
  const { clients, present, settings, overdue, waitingSince } = state;
  if (!overdue || present < roundTargets(settings).minimum) return undefined;
  const isHeldUp = allClients(clients).some((client) => client.present && isQuarantined(state, client));
  return isHeldUp ? waitingSince + settings.deadlineMs : undefined;
}

/**
 * Returns the state with every quarantine shortened by one round, if the wait has lasted as long as a round.
 */
export function withShortenedQuarantines(state: FederationState, at: number): FederationState {
  const servedAt = quarantineReleaseAt(state);
  if (servedAt === undefined || at < servedAt) return state;
  const clients = allClients(state.clients).map((client) =>
    isQuarantined(state, client) ? { ...client, quarantinedUntil: client.quarantinedUntil - 1 } : client,
  );
  return { ...state, clients: clientMap(clients), waitingSince: at };
}
