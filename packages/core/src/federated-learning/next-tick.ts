import { chooseClients } from "./choose-clients.ts";
import type { ClientChoiceTable } from "./client-choice.ts";
import type { FederationState } from "./federation-state.ts";
import { roundTargets } from "./round-settings.ts";

/**
 * When the reducer wants its next event `ticked`, unix ms: at the open round's deadline, or when the wait for clients ends.
 * Undefined where only somebody's deed moves it on. Ask again after each event.
 */
export function nextTick(state: FederationState, table?: ClientChoiceTable): number | undefined {
  const { open, settings, phase } = state;
  if (phase === "done") return undefined;
  if (open !== undefined) {
    if (open.closing) return undefined;
    return Object.values(state.assignments).reduce((first, { until }) => Math.min(first, until), open.deadlineAt);
  }
  const { minimum, selection } = roundTargets(settings);
  // Asked of the choice itself: a wait that its end does not end must not ring again and again.
  return chooseClients(state, { count: selection, table }).clients.length >= minimum ? state.waitingSince + settings.selectionMs : undefined;
}
