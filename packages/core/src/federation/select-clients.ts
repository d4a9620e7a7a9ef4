import { select, type Selection } from "../select.ts";
import { clientSelection, type ClientSelectionTable, type ClientSelector } from "./client-selection.ts";
import { isEligible } from "./federation-clients.ts";
import type { FederationClient, FederationState } from "./federation-state.ts";
import { allClients } from "./client-map.ts";
import { seededDraws } from "./seeded-draws.ts";

/** Who was chosen, and what the next choice is drawn from. */
export interface SelectedClients {
  readonly clients: readonly string[];
  readonly seed: number;
}

/**
 * Chooses among those that could take part and that `isFree` names, as the settings say. Sedna's clients are not chosen:
 * they train whenever they are there, and take their places first.
 */
export function selectClients(
  state: FederationState,
  {
    count,
    isFree,
    table = clientSelection,
  }: {
    readonly count: number;
    readonly isFree?: (client: FederationClient) => boolean;
    readonly table?: ClientSelectionTable | undefined;
  },
): SelectedClients {
  const there = allClients(state.clients)
    .filter((client) => isEligible(state, client) && (isFree === undefined || isFree(client)))
    .toSorted((a, b) => a.id - b.id);
  const always = there.filter(({ kind }) => kind === "sedna-v1");
  const clients = there.filter(({ kind }) => kind !== "sedna-v1");
  const wanted = Math.min(clients.length, Math.max(0, count - always.length));
  const draws = seededDraws(state.seed);
  const choose = select(table, state.settings.selector as Selection<string, never>) as ClientSelector;
  const chosen = wanted === 0 ? [] : choose({ clients, count: wanted, random: draws.random });
  // A chooser of somebody else's may name a client twice or one that is not there.
  const known = new Set(clients);
  const names = new Set(
    chosen
      .filter((client) => known.has(client))
      .slice(0, wanted)
      .map(({ client }) => client),
  );
  return { clients: [...always.map(({ client }) => client), ...names], seed: draws.seed };
}
