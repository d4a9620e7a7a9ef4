import { allClients, getClient, clientMap, withClientEntry } from "./client-map.ts";
import type { ClientSelectionTable } from "./client-selection.ts";
import { afterAbandon } from "./close-round.ts";
import { isEligible, isQuarantined } from "./federation-clients.ts";
import type {
  AcceptedUpdate,
  FederationClient,
  FederationEffect,
  FederationState,
} from "./federation-state.ts";
import { delayAfterFailures, withShortenedQuarantines } from "./next-tick.ts";
import { roundTargets } from "./round-settings.ts";
import { selectClients } from "./select-clients.ts";

/** A state and the effects that the caller must carry out, in order. */
export interface ReducerResult {
  readonly state: FederationState;
  readonly effects: readonly FederationEffect[];
}

/**
 * Applies what follows from the time and the number of clients; called after every event. Closes the round if
 * enough updates are accepted or its deadline has passed, and starts a round if enough clients are present. A
 * round can start in the same call in which the previous round is abandoned.
 */
export function advance(
  given: FederationState,
  { at, table }: { readonly at: number; readonly table: ClientSelectionTable | undefined },
): ReducerResult {
  const closed = closeInTime(given, at);
  const opened =
    closed.state.phase === "waiting"
      ? openIfReady(closed.state, { at, table })
      : { state: withAssignments(closed.state, { at, table }), effects: [] };
  return { state: opened.state, effects: [...closed.effects, ...opened.effects] };
}

function closeInTime(state: FederationState, at: number): ReducerResult {
  const { open, settings } = state;
  if (open === undefined || open.closing) return { state, effects: [] };
  const { goal, minimum } = roundTargets(settings);
  const count = open.accepted.size;
  const isOver = at >= open.deadlineAt;
  // No selected client is left to wait for: a small federation does not have to wait for its deadline.
  const allCame = settings.buffered === undefined && count >= open.expected;
  if (count >= goal || ((isOver || allCame) && count >= minimum)) {
    const clients = allClients(open.accepted).map(({ client }) => client);
    return {
      state: { ...state, open: { ...open, closing: true, closedAt: at } },
      effects: [{ type: "aggregate", round: open.round, clients }],
    };
  }
  if (!isOver) return { state, effects: [] };
  return {
    state: afterAbandon(state, { open, at }),
    effects: [{ type: "abandon", round: open.round, accepted: count }],
  };
}

function openIfReady(
  given: FederationState,
  { at, table }: { readonly at: number; readonly table: ClientSelectionTable | undefined },
): ReducerResult {
  const state = withShortenedQuarantines(given, at);
  const { settings, round: last, modelVersion } = state;
  const { minimum, selection } = roundTargets(settings);
  if (at < state.waitingSince + delayAfterFailures(state)) return { state, effects: [] };
  const isOver = at >= state.waitingSince + settings.selectionMs;
  // A buffer does not wait for the full selection: a client that joins later starts from a later model.
  const enough = settings.buffered !== undefined || isOver ? minimum : Math.max(minimum, selection);
  const waiting = { state: isOver && !state.overdue ? { ...state, overdue: true } : state, effects: [] };
  // `present` is already known; the second condition scans all clients.
  if (
    state.present < enough ||
    allClients(state.clients).filter((client) => isEligible(state, client)).length < enough
  )
    return waiting;
  const chosen =
    settings.buffered === undefined ? selectClients(state, { count: selection, table }) : undefined;
  if (chosen !== undefined && chosen.clients.length < minimum) return waiting;

  const round = last + 1;
  const deadlineAt = at + settings.deadlineMs;
  const selected = clientMap(
    (chosen?.clients ?? allClients(state.assignments).map(({ client }) => client)).map((client) => ({
      client,
    })),
  );
  const expected = allClients(selected).filter(({ client }) =>
    isEligible(state, getClient(state.clients, client)!),
  ).length;
  const open = {
    round,
    modelVersion,
    openedAt: at,
    deadlineAt,
    selected,
    expected,
    accepted: clientMap<AcceptedUpdate>(),
    rejected: 0,
    bytes: 0,
    closing: false,
  };
  const opened = withAssignments(
    { ...state, phase: "open", open, seed: chosen?.seed ?? state.seed },
    { at, table },
  );
  return {
    state: opened,
    effects: [
      {
        type: "open",
        round,
        modelVersion,
        deadlineAt,
        clients: allClients(opened.open!.selected).map(({ client }) => client),
      },
    ],
  };
}

/**
 * Buffered mode: revokes the assignments of clients that are past their deadline, too stale or in quarantine,
 * and assigns the latest model to idle clients while fewer than `concurrency` clients are at work. A client
 * that left keeps its assignment until the assignment's deadline in case it rejoins, but does not occupy a
 * slot. A client whose update the active buffer has accepted waits for the next buffer.
 */
function withAssignments(
  state: FederationState,
  { at, table }: { readonly at: number; readonly table: ClientSelectionTable | undefined },
): FederationState {
  const {
    settings: { buffered, deadlineMs },
    open,
  } = state;
  if (buffered === undefined || open === undefined || open.closing) return state;
  const kept = allClients(state.assignments).filter(({ client: name, until, modelVersion }) => {
    const client = getClient(state.clients, name);
    return (
      client !== undefined &&
      until > at &&
      state.modelVersion - modelVersion <= buffered.maxStaleness &&
      !isQuarantined(state, client)
    );
  });
  const assignments = kept.length === state.assignments.size ? state.assignments : clientMap(kept);
  const atWork = kept.filter(({ client }) => isEligible(state, getClient(state.clients, client)!)).length;
  const count = buffered.concurrency - atWork;
  const isFree = ({ client, kind }: FederationClient): boolean =>
    kind === "sedna-js" &&
    getClient(assignments, client) === undefined &&
    getClient(open.accepted, client) === undefined;
  const { clients: chosen, seed } =
    count > 0 ? selectClients(state, { count, isFree, table }) : { clients: [], seed: state.seed };
  if (chosen.length === 0) return assignments === state.assignments ? state : { ...state, assignments };

  const assignment = { round: open.round, modelVersion: state.modelVersion, until: at + deadlineMs };
  const assigned = chosen.reduce(
    (all, client) => withClientEntry(all, { client, ...assignment }),
    assignments,
  );
  const selected = chosen.reduce((all, client) => withClientEntry(all, { client }), open.selected);
  return {
    ...state,
    seed,
    assignments: assigned,
    open: { ...open, selected, expected: open.expected + selected.size - open.selected.size },
  };
}
