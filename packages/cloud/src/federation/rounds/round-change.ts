import { allClients, type FederationEvent, type FederationState, getClient } from "@sedna-js/core/federation";
import type { ClosedRound } from "../federation.ts";

/** What one event changed. */
export interface RoundChange {
  readonly event: FederationEvent;
  /** True if the event may concern all clients: a round opened, closed, or got a new model. */
  readonly isWide: boolean;
  /** Clients whose assignment in the buffered mode began or ended. */
  readonly assigned: readonly string[];
  /** The round that the event closed. */
  readonly closed: ClosedRound | undefined;
}

/** The round that was closed last, as listeners see it. */
export function closedRound(state: FederationState, outcome: ClosedRound["outcome"]): ClosedRound {
  const last = state.history.at(-1)!;
  return {
    round: last.round,
    modelVersion: state.modelVersion,
    outcome,
    totalSamples: last.totalSamples,
    done: state.phase === "done",
  };
}

type Assigned = Pick<FederationState, "assignments">;

/** Clients of the buffered mode whose assignment began, ended, or was replaced. */
export function changedAssignments(
  { assignments: before }: Assigned,
  { assignments: after }: Assigned,
): readonly string[] {
  if (before === after) return [];
  const ended = allClients(before).filter(({ client }) => getClient(after, client) === undefined);
  const begun = allClients(after).filter((one) => getClient(before, one.client) !== one);
  return [...ended, ...begun].map(({ client }) => client);
}
