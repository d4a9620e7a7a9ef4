import type { FederationClient, FederationState } from "./federation-state.ts";
import { allClients, getClient, clientMap, withClientEntry } from "./client-map.ts";

/** Clients whose past is kept. More of those that are gone are forgotten, or a page that takes a new name at each visit fills the memory. */
export const MAX_CLIENTS = 10_000;

/** Whether a client is left out of the round that is open or comes next. */
export function isQuarantined(
  { round }: Pick<FederationState, "round">,
  { quarantinedUntil }: FederationClient,
): boolean {
  return quarantinedUntil > round;
}

/** Whether a client could be selected now. How many samples one of Sedna's clients has comes with its update. */
export function isEligible(state: Pick<FederationState, "round">, client: FederationClient): boolean {
  return (
    client.present && !isQuarantined(state, client) && (client.kind === "sedna-v1" || client.numSamples > 0)
  );
}

/** The state with a client as it is now, and what is counted of clients. */
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

/** The clients without some that are long gone, when they are too many: first those that never did wrong, never any in quarantine or that was counted. */
export function withoutForgotten(state: FederationState): FederationState {
  const { clients, open, assignments, present } = state;
  if (clients.size <= MAX_CLIENTS || present >= clients.size) return state;
  const isInUse = (name: string): boolean =>
    getClient(assignments, name) !== undefined ||
    (open !== undefined && getClient(open.accepted, name) !== undefined);
  const gone = allClients(clients).filter(
    (client) => !client.present && !isQuarantined(state, client) && !isInUse(client.client),
  );
  // A tenth more than needed: else each newcomer would cost a walk through all.
  const count = clients.size - Math.floor(MAX_CLIENTS * 0.9);
  const forgotten = new Set(gone.toSorted((a, b) => a.strikes - b.strikes || a.id - b.id).slice(0, count));
  return forgotten.size === 0
    ? state
    : { ...state, clients: clientMap(allClients(clients).filter((client) => !forgotten.has(client))) };
}
