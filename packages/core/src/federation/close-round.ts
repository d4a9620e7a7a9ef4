import type { RoundSummary } from "../wire/federation.ts";
import type { AcceptedUpdate, FederationState, ActiveRound } from "./federation-state.ts";
import { allClients, getClient, clientMap, withClientEntry } from "./client-map.ts";

/** Maximum number of round summaries in the history. */
const MAX_SUMMARIES = 1000;

/** Options of {@link afterAggregation}. */
interface AfterModelOptions {
  readonly open: ActiveRound;
  readonly modelVersion: number;
  readonly at: number;
}

/** Returns the state after the event `aggregated`: the active round has produced a model. */
export function afterAggregation(
  state: FederationState,
  { open, modelVersion, at }: AfterModelOptions,
): FederationState {
  let { clients } = state;
  for (const { client: name } of allClients(open.accepted)) {
    const client = getClient(clients, name);
    if (client !== undefined) clients = withClientEntry(clients, { ...client, rounds: client.rounds + 1 });
  }
  const { numRounds } = state.settings;
  const isLast = numRounds > 0 && open.round >= numRounds;
  // Versions only increase, whatever the event says: a rollback is a new version.
  const newest = Math.max(state.modelVersion + 1, modelVersion);
  return {
    ...closed(state, { open, at, outcome: "aggregated" }),
    phase: isLast ? "done" : "waiting",
    round: open.round,
    modelVersion: newest,
    clients,
    assignments: isLast ? clientMap() : state.assignments,
  };
}

/**
 * Returns the state after the active round is abandoned: the model stays, and the next attempt has the same
 * round number.
 */
export function afterAbandon(
  state: FederationState,
  { open, at }: { readonly open: ActiveRound; readonly at: number },
): FederationState {
  return closed(state, { open, at, outcome: "abandoned" });
}

/** Options of {@link closed}. */
interface ClosedOptions {
  readonly open: ActiveRound;
  readonly at: number;
  readonly outcome: RoundSummary["outcome"];
}

function closed(state: FederationState, { open, at, outcome }: ClosedOptions): FederationState {
  const history = [...state.history, summary(open, { at, outcome })].slice(-MAX_SUMMARIES);
  return { ...state, phase: "waiting", open: undefined, waitingSince: at, overdue: false, history };
}

/** Returns the summary of a round. If the round was not closing yet, `at` is its end. */
function summary(
  open: ActiveRound,
  { at, outcome }: { readonly at: number; readonly outcome: RoundSummary["outcome"] },
): RoundSummary {
  const { round, selected, rejected, bytes, openedAt, closedAt = at } = open;
  const updates = allClients(open.accepted);
  const loss = mean(updates, "loss");
  const accuracy = mean(updates, "accuracy");
  return {
    round,
    outcome,
    selected: selected.size,
    accepted: updates.length,
    rejected,
    totalSamples: updates.reduce((sum, { weight }) => sum + weight, 0),
    durationMs: Math.max(0, closedAt - openedAt),
    bytes,
    ...(loss === undefined ? {} : { loss }),
    ...(accuracy === undefined ? {} : { accuracy }),
  };
}

/** Returns the mean of a metric over the updates that report it, weighted by the updates' weights. */
function mean(updates: readonly AcceptedUpdate[], metric: "loss" | "accuracy"): number | undefined {
  let sum = 0;
  let weights = 0;
  for (const { weight, metrics } of updates) {
    const value = metrics?.[metric];
    if (value === undefined || !Number.isFinite(value)) continue;
    sum += value * weight;
    weights += weight;
  }
  return weights > 0 && Number.isFinite(sum) ? sum / weights : undefined;
}
