import type { FederationState } from "./federation-state.ts";

/** After the first round that failed, in ms; it doubles. */
const FIRST_MS = 1000;
const MOST_MS = 60_000;

/**
 * How long no round opens after some in a row were given up before their deadline, in ms: an aggregator that refuses its cohort,
 * or a secure sum that is left by too many, would else ask all clients for the same work again and again. Those that were
 * given up at their deadline have waited enough.
 */
export function pauseAfterFailures({
  history,
  settings,
}: Pick<FederationState, "history" | "settings">): number {
  const failures =
    history.length -
    1 -
    history.findLastIndex(
      ({ outcome, durationMs }) => outcome !== "abandoned" || durationMs >= settings.deadlineMs,
    );
  return failures === 0 ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1));
}
