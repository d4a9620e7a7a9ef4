import type { Reduced } from "./advance-federation.ts";
import type { FederationEvent, FederationState } from "./federation-state.ts";
import { entryOf, rosterOf } from "./client-map.ts";
import { roundTargets } from "./round-settings.ts";

/**
 * The state after a secure sum was opened. Nobody knows a client's own weight: each counts by the mean. The round closes
 * whoever is missing, as nothing can be added to the sum any more; one of too few changes nothing.
 */
export function summed(
  state: FederationState,
  { round, clients, totalWeight, bytes, at }: Extract<FederationEvent, { type: "summed" }>,
): Reduced {
  const { open, settings } = state;
  if (open === undefined || open.closing || open.round !== round || settings.buffered !== undefined)
    return { state, effects: [] };
  const there = clients.filter((client) => entryOf(open.selected, client) !== undefined);
  if (
    there.length < clients.length ||
    there.length < roundTargets(settings).minimum ||
    !(totalWeight > 0 && totalWeight < Infinity)
  )
    return { state, effects: [] };
  const counted = rosterOf(
    there.map((client) => ({ client, weight: totalWeight / there.length, digest: "" })),
  );
  const closing = { ...open, counted, bytes: open.bytes + bytes, closing: true, closedAt: at };
  return { state: { ...state, open: closing }, effects: [{ type: "aggregate", round, clients: there }] };
}
