import { allClients, clientMap } from "./client-map.ts";
import { isQuarantined } from "./federation-clients.ts";
import type { FederationState } from "./federation-state.ts";
import { roundTargets } from "./round-settings.ts";

/**
 * When the reducer wants its next event `ticked`, unix ms: at the open round's deadline, or when the wait for clients ends.
 * Undefined where only somebody's deed moves it on. Ask again after each event.
 */
export function nextTick(state: FederationState): number | undefined {
  const { phase, open, settings, assignments, present, overdue, waitingSince } = state;
  if (phase === "done" || open?.closing === true) return undefined;
  if (open !== undefined)
    return allClients(assignments).reduce((first, { until }) => Math.min(first, until), open.deadlineAt);
  if (overdue) return quarantineServedAt(state);
  return present < roundTargets(settings).minimum
    ? undefined
    : waitingSince + Math.max(settings.selectionMs, pauseAfterFailures(state));
}

/** After the first round that failed, in ms; it doubles. */
const MIN_MS = 1000;
const MAX_MS = 60_000;

/**
 * How long no round opens after some in a row were given up before their deadline, in ms: an aggregator that refuses its cohort,
 * or a secure sum that is left by too many, would else ask all clients for the same work again and again. Those that were
 * given up at their deadline have waited enough.
 */
export function pauseAfterFailures({
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
 * When a wait for clients has lasted a round's time, unix ms, where some that are there are in quarantine and could be enough: undefined
 * where they are not what is missing. Without this the quarantine, which is counted in rounds, and the round, which lacks
 * who is in it, would wait for each other for ever.
 */
function quarantineServedAt(state: FederationState): number | undefined {
  const { clients, present, settings, overdue, waitingSince } = state;
  if (!overdue || present < roundTargets(settings).minimum) return undefined;
  const isHeldUp = allClients(clients).some((client) => client.present && isQuarantined(state, client));
  return isHeldUp ? waitingSince + settings.deadlineMs : undefined;
}

/** The state after a wait that lasted a round's time: one round of everybody's quarantine is over. */
export function withQuarantineServed(state: FederationState, at: number): FederationState {
  const servedAt = quarantineServedAt(state);
  if (servedAt === undefined || at < servedAt) return state;
  const clients = allClients(state.clients).map((client) =>
    isQuarantined(state, client) ? { ...client, quarantinedUntil: client.quarantinedUntil - 1 } : client,
  );
  return { ...state, clients: clientMap(clients), waitingSince: at };
}
