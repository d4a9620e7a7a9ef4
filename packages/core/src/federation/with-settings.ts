import { isEligible } from "./federation-clients.ts";
import type { FederationState, RoundSettings } from "./federation-state.ts";
import { entriesOf, entryOf, rosterOf } from "./client-map.ts";

/**
 * The state under other settings, as from when its owner has changed its mind. A federation that was done goes on where its exit
 * round is a later one; work on models of a buffer is nobody's any more where there is no buffer. Follow it by an event: what
 * is open may have to close by the new settings.
 */
export function withSettings(state: FederationState, settings: RoundSettings): FederationState {
  const { exitRound, buffered } = settings;
  const goesOn = state.phase === "done" && (exitRound === 0 || exitRound > state.round);
  const { open } = state;
  const isAwaited = (client: string): boolean => {
    const known = entryOf(state.clients, client);
    return entryOf(open!.counted, client) !== undefined || (known !== undefined && isEligible(state, known));
  };
  return {
    ...state,
    settings,
    phase: goesOn ? "waiting" : state.phase,
    overdue: false,
    assignments: buffered ? state.assignments : rosterOf(),
    open: open && {
      ...open,
      expected: entriesOf(open.selected).filter(({ client }) => isAwaited(client)).length,
    },
  };
}
