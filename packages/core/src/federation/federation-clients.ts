import type { FederationClient, FederationState } from "./federation-state.ts";
import { allClients, getClient, clientMap, withClientEntry } from "./client-map.ts";

/**
 * Maximum number of clients that the state keeps. Beyond it, absent clients are removed: otherwise a page
 * that takes a new name at each visit would exhaust the memory.
 */
export const MAX_CLIENTS = 10_000;

/** Whether a client is excluded from the active or the next round. */
export function isQuarantined(
  { round }: Pick<FederationState, "round">,
  { quarantinedUntil }: FederationClient,
): boolean {
  return quarantinedUntil > round;
}

/**
 * Whether a client can be selected now. The number of samples of a Sedna client is only known from its
 * update.
 */
export function isEligible(state: Pick<FederationState, "round">, client: FederationClient): boolean {
  return (
    client.present && !isQuarantined(state, client) && (client.kind === "sedna-v1" || client.numSamples > 0)
  );
}

/** Returns the state with an updated client, and with `present` and `expected` adjusted. */
export function withClient(state: FederationState, client: FederationClient): FederationState {
  const former = getClient(state.clients, client.client);
  const { open } = state;
  const isIn =
    open !== undefined &&
    getClient(open.selected, client.client) !== undefined &&
    getClient(open.accepted, client.client) === undefined;
  const expected = isIn
    ? Number(isEligible(state, client)) - Number(former !== undefined && isEligible(state, former))
    : 0;
  return {
    ...state,
    clients: withClientEntry(state.clients, client),
    present: state.present + Number(client.present) - Number(former?.present ?? false),
    open: expected === 0 || open === undefined ? open : { ...open, expected: open.expected + expected },
  };
}

/**
 * Returns the state without some absent clients if it holds too many; removes clients with the fewest strikes
 * first. Never removes a client that is in quarantine, has an assignment, or has an accepted update in the
 * active round.
 */
export function pruneClients(state: FederationState): FederationState {
  const { clients, open, assignments, present } = state;
  if (clients.size <= MAX_CLIENTS || present >= clients.size) return state;
  const isInUse = (name: string): boolean =>
    getClient(assignments, name) !== undefined ||
    (open !== undefined && getClient(open.accepted, name) !== undefined);
  const gone = allClients(clients).filter(
    (client) => !client.present && !isQuarantined(state, client) && !isInUse(client.client),
  );
  // Remove a tenth more than needed: otherwise each new client would cost a scan of all clients.
  const count = clients.size - Math.floor(MAX_CLIENTS * 0.9);
  const forgotten = new Set(gone.toSorted((a, b) => a.strikes - b.strikes || a.id - b.id).slice(0, count));
  return forgotten.size === 0
    ? state
    : { ...state, clients: clientMap(allClients(clients).filter((client) => !forgotten.has(client))) };
}
