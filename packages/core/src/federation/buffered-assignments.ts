import type { ClientChoiceTable } from "./client-selection.ts";
import { chooseClients } from "./select-clients.ts";
import { isEligible, isQuarantined } from "./federation-clients.ts";
import type { FederationClient, FederationState } from "./federation-state.ts";
import { entriesOf, entryOf, rosterOf, withEntry } from "./client-map.ts";

/**
 * Buffered: takes the places from who is too late, too stale or in quarantine, and gives free places to clients that are idle,
 * with the newest model. Who left keeps its assignment until its time, should it come back, but not its place.
 * A client that the open buffer counted waits for the next.
 */
export function withAssignments(
  state: FederationState,
  { at, table }: { readonly at: number; readonly table: ClientChoiceTable | undefined },
): FederationState {
  const {
    settings: { buffered, deadlineMs },
    open,
  } = state;
  if (buffered === undefined || open === undefined || open.closing) return state;
  const kept = entriesOf(state.assignments).filter(({ client: name, until, modelVersion }) => {
    const client = entryOf(state.clients, name);
    return (
      client !== undefined &&
      until > at &&
      state.modelVersion - modelVersion <= buffered.maxStaleness &&
      !isQuarantined(state, client)
    );
  });
  const assignments = kept.length === state.assignments.size ? state.assignments : rosterOf(kept);
  const atWork = kept.filter(({ client }) => isEligible(state, entryOf(state.clients, client)!)).length;
  const count = buffered.concurrency - atWork;
  const isFree = ({ client, kind }: FederationClient): boolean =>
    kind === "sedna-js" &&
    entryOf(assignments, client) === undefined &&
    entryOf(open.counted, client) === undefined;
  const { clients: chosen, seed } =
    count > 0 ? chooseClients(state, { count, isFree, table }) : { clients: [], seed: state.seed };
  if (chosen.length === 0) return assignments === state.assignments ? state : { ...state, assignments };

  const assignment = { round: open.round, modelVersion: state.modelVersion, until: at + deadlineMs };
  const assigned = chosen.reduce((all, client) => withEntry(all, { client, ...assignment }), assignments);
  const selected = chosen.reduce((all, client) => withEntry(all, { client }), open.selected);
  return {
    ...state,
    seed,
    assignments: assigned,
    open: { ...open, selected, expected: open.expected + selected.size - open.selected.size },
  };
}
