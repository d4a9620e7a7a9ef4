import type { ClientChoiceTable } from "./client-choice.ts";
import { chooseClients } from "./choose-clients.ts";
import { isEligible, isQuarantined, own } from "./federation-clients.ts";
import type { FederationState } from "./federation-state.ts";

/**
 * Buffered: takes the places from who is too late, too stale or in quarantine, and gives free places to clients that are idle,
 * with the newest model. Who left keeps its assignment until its time, should it come back, but not its place.
 * A client that the open buffer counted waits for the next.
 */
export function withAssignments(state: FederationState, { at, table }: { readonly at: number; readonly table: ClientChoiceTable | undefined }): FederationState {
  const { settings: { buffered, deadlineMs }, open } = state;
  if (buffered === undefined || open === undefined || open.closing) return state;
  const kept = Object.entries(state.assignments).filter(([name, { until, modelVersion }]) => {
    const client = own(state.clients, name);
    return client !== undefined && until > at && state.modelVersion - modelVersion <= buffered.maxStaleness && !isQuarantined(state, client);
  });
  const assignments = Object.fromEntries(kept);
  const atWork = kept.filter(([name]) => isEligible(state, state.clients[name]!)).length;
  const count = buffered.concurrency - atWork;
  const isFree = ({ client, kind }: { readonly client: string; readonly kind: string }): boolean => kind === "sedna-js" && own(assignments, client) === undefined && own(open.counted, client) === undefined;
  const { clients: chosen, seed } = count > 0 ? chooseClients(state, { count, isFree, table }) : { clients: [], seed: state.seed };
  if (chosen.length === 0 && kept.length === Object.keys(state.assignments).length) return state;

  const assignment = { round: open.round, modelVersion: state.modelVersion, until: at + deadlineMs };
  const selected = new Set([...open.selected, ...chosen]);
  return { ...state, seed, assignments: { ...assignments, ...Object.fromEntries(chosen.map((name) => [name, assignment])) }, open: { ...open, selected: [...selected] } };
}
