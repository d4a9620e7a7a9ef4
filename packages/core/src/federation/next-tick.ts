import type { FederationState } from "./federation-state.ts";
import { pauseAfterFailures } from "./pause-after-failures.ts";
import { entriesOf } from "./client-map.ts";
import { roundTargets } from "./round-settings.ts";
import { quarantineServedAt } from "./serve-quarantine.ts";

/**
 * When the reducer wants its next event `ticked`, unix ms: at the open round's deadline, or when the wait for clients ends.
 * Undefined where only somebody's deed moves it on. Ask again after each event.
 */
export function nextTick(state: FederationState): number | undefined {
  const { phase, open, settings, assignments, present, overdue, waitingSince } = state;
  if (phase === "done" || open?.closing === true) return undefined;
  if (open !== undefined)
    return entriesOf(assignments).reduce((first, { until }) => Math.min(first, until), open.deadlineAt);
  if (overdue) return quarantineServedAt(state);
  return present < roundTargets(settings).minimum
    ? undefined
    : waitingSince + Math.max(settings.selectionMs, pauseAfterFailures(state));
}
