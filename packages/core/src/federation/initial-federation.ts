import { describe } from "../errors.ts";
import type { FederationState, RoundSettings } from "./federation-state.ts";
import { rosterOf } from "./client-map.ts";

/**
 * A federation that has its first model and no clients.
 *
 * @param settings as `roundSettings` checks them.
 * @param start `seed`: what choices are drawn from, its low 32 bits; `at`: now, unix ms.
 * @throws {RangeError} on a seed or a time that is no finite number.
 */
export function startFederation(
  settings: RoundSettings,
  { seed, at }: { readonly seed: number; readonly at: number },
): FederationState {
  for (const [name, value] of Object.entries({ seed, at }))
    if (!Number.isFinite(value))
      throw new RangeError(`start a federation: expected a finite number as ${name}; got ${describe(value)}`);
  return {
    settings,
    phase: "waiting",
    round: 0,
    modelVersion: 0,
    clients: rosterOf(),
    present: 0,
    joins: 0,
    open: undefined,
    assignments: rosterOf(),
    waitingSince: at,
    overdue: false,
    history: [],
    seed: seed >>> 0,
  };
}
