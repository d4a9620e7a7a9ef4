import type { FederationState } from "./federation-state.ts";
import { entriesOf } from "./roster.ts";
import { roundTargets } from "./round-settings.ts";

/**
 * When the reducer wants its next event `ticked`, unix ms: at the open round's deadline, or when the wait for clients ends.
 * Undefined where only somebody's deed moves it on. Ask again after each event.
 */
export function nextTick({ phase, open, settings, assignments, present, overdue, waitingSince }: FederationState): number | undefined {
  if (phase === "done" || open?.closing === true) return undefined;
  if (open !== undefined) return entriesOf(assignments).reduce((first, { until }) => Math.min(first, until), open.deadlineAt);
  return overdue || present < roundTargets(settings).minimum ? undefined : waitingSince + settings.selectionMs;
}
