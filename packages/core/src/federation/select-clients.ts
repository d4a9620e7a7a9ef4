import { select, type Selection } from "../select.ts";
import { clientSelection, type ClientSelectionTable, type ClientSelector } from "./client-selection.ts";
import { isEligible } from "./federation-clients.ts";
import type { FederationClient, FederationState } from "./federation-state.ts";
import { allClients } from "./client-map.ts";
import { createSeededRandom } from "./seeded-random.ts";

/** The selected clients, and the seed for the next selection. */
export interface SelectedClients {
  readonly clients: readonly string[];
  readonly seed: number;
}

/** Options of {@link selectClients}. */
interface SelectClientsOptions {
  readonly count: number;
  readonly isFree?: (client: FederationClient) => boolean;
  readonly table?: ClientSelectionTable | undefined;
}

/**
 * Selects eligible clients that pass `isFree`, with the selector of the settings. Sedna's own clients are not
 * subject to selection: they train whenever they are present, are always included, and use up `count` first.
 */
export function selectClients(
  state: FederationState,
  { count, isFree, table = clientSelection }: SelectClientsOptions,
): SelectedClients {
  const there = allClients(state.clients)
    .filter((client) => isEligible(state, client) && (isFree === undefined || isFree(client)))
    .toSorted((a, b) => a.id - b.id);
  const always = there.filter(({ kind }) => kind === "sedna-v1");
  const clients = there.filter(({ kind }) => kind !== "sedna-v1");
  const wanted = Math.min(clients.length, Math.max(0, count - always.length));
  const draws = createSeededRandom(state.seed);
  const choose = select(table, state.settings.selector as Selection<string, never>) as ClientSelector;
  const chosen = wanted === 0 ? [] : choose({ clients, count: wanted, random: draws.random });
  // A custom selector may return a client twice or a client that is not in `clients`.
  const known = new Set(clients);
  const names = new Set(
    chosen
      .filter((client) => known.has(client))
      .slice(0, wanted)
      .map(({ client }) => client),
  );
  return { clients: [...always.map(({ client }) => client), ...names], seed: draws.seed };
}
