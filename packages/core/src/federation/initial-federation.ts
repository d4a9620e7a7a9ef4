import { describeValue } from "../errors.ts";
import { allClients, getClient, clientMap } from "./client-map.ts";
import { isEligible } from "./federation-clients.ts";
import type { FederationState, RoundSettings } from "./federation-state.ts";

/**
 * A federation that has its first model and no clients.
 *
 * @param settings as `roundSettings` checks them.
 * @param start `seed`: what choices are drawn from, its low 32 bits; `at`: now, unix ms.
 * @throws {RangeError} on a seed or a time that is no finite number.
 */
export function initialFederation(
  settings: RoundSettings,
  { seed, at }: { readonly seed: number; readonly at: number },
): FederationState {
  for (const [name, value] of Object.entries({ seed, at }))
    if (!Number.isFinite(value))
      throw new RangeError(
        `start a federation: expected a finite number as ${name}; got ${describeValue(value)}`,
      );
  return {
    settings,
    phase: "waiting",
    round: 0,
    modelVersion: 0,
    clients: clientMap(),
    present: 0,
    joins: 0,
    open: undefined,
    assignments: clientMap(),
    waitingSince: at,
    overdue: false,
    history: [],
    seed: seed >>> 0,
  };
}

/**
 * The state under other settings, as from when its owner has changed its mind. A federation that was done goes on where its exit
 * round is a later one; work on models of a buffer is nobody's any more where there is no buffer. Follow it by an event: what
 * is open may have to close by the new settings.
 */
export function applySettings(state: FederationState, settings: RoundSettings): FederationState {
  const { numRounds, buffered } = settings;
  const goesOn = state.phase === "done" && (numRounds === 0 || numRounds > state.round);
  const { open } = state;
  const isAwaited = (client: string): boolean => {
    const known = getClient(state.clients, client);
    return (
      getClient(open!.accepted, client) !== undefined || (known !== undefined && isEligible(state, known))
    );
  };
  return {
    ...state,
    settings,
    phase: goesOn ? "waiting" : state.phase,
    overdue: false,
    assignments: buffered ? state.assignments : clientMap(),
    open: open && {
      ...open,
      expected: allClients(open.selected).filter(({ client }) => isAwaited(client)).length,
    },
  };
}
