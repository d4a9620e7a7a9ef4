import { describeValue } from "../errors.ts";
import { allClients, getClient, clientMap } from "./client-map.ts";
import { isEligible } from "./federation-clients.ts";
import type { FederationState, RoundSettings } from "./federation-state.ts";

/**
 * Returns the initial state of a federation, which has its first model and no clients.
 *
 * @param settings Settings as returned by `roundSettings`.
 * @param start `seed`: seed of the client selection, of which the low 32 bits are used; `at`: current time,
 * in unix ms.
 * @throws {RangeError} If `seed` or `at` is not finite.
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
 * Returns the state under new settings. A federation that was done resumes if the new settings have a later
 * last round. Assignments are dropped if the new settings are not buffered. Apply an event afterwards,
 * because the active round may have to close under the new settings.
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
