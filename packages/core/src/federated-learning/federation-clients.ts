import type { FederationClient, FederationState } from "./federation-state.ts";

/** Clients whose past is kept. More of those that are gone are forgotten, or a page that takes a new name at each visit fills the memory. */
export const MOST_CLIENTS = 10_000;

/** The entry of that name itself, and nothing that an object has by birth: clients choose their names. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Whether a client is left out of the round that is open or comes next. */
export function isQuarantined({ round }: Pick<FederationState, "round">, { quarantinedUntil }: FederationClient): boolean {
  return quarantinedUntil > round;
}

/** Whether a client could be selected now. How many samples one of Sedna's clients has comes with its update. */
export function isEligible(state: Pick<FederationState, "round">, client: FederationClient): boolean {
  return client.present && !isQuarantined(state, client) && (client.kind === "sedna-v1" || client.numSamples > 0);
}

/** The clients without some that are long gone, when they are too many: first those that never did wrong, then any but those in quarantine. */
export function withoutForgotten(state: FederationState): FederationState {
  const clients = Object.values(state.clients);
  if (clients.length <= MOST_CLIENTS) return state;
  const gone = clients.filter((client) => !client.present && !isQuarantined(state, client) && own(state.open?.counted ?? {}, client.client) === undefined && own(state.assignments, client.client) === undefined);
  // A tenth more than needed: else each newcomer would cost a walk through all.
  const count = clients.length - Math.floor(MOST_CLIENTS * 0.9);
  const forgotten = new Set(gone.toSorted((a, b) => a.strikes - b.strikes).slice(0, count).map(({ client }) => client));
  return { ...state, clients: Object.fromEntries(clients.filter(({ client }) => !forgotten.has(client)).map((client) => [client.client, client])) };
}
