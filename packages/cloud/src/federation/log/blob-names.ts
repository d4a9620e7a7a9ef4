import { allClients, type FederationState } from "@sedna-js/core/federation";

/** The blob of a model. */
export const modelBlob = (version: number): string => `model-${version}`;

/** The blob of what the aggregator keeps for the round after a model. */
export const memoryBlob = (version: number): string => `memory-${version}`;

/** The blob of a round's update, by its place among those that were counted. */
export const updateBlob = (round: number, place: number): string => `update-${round}-${place}`;

/** One of the two blobs that the open round's sum is written to in turn. */
export const sumBlob = (turn: number): string => `sum-${turn}`;

/** Versions of the model that clients may ask for: the newest, and those that somebody trains on. */
export function versionsNeeded({ modelVersion, open, assignments }: FederationState): ReadonlySet<number> {
  return new Set([
    modelVersion,
    ...(open ? [open.modelVersion] : []),
    ...allClients(assignments).map((assignment) => assignment.modelVersion),
  ]);
}

/**
 * Which of the blobs are of no use any more: models that nobody trains on but the first and the newest two,
 * updates of rounds that are closed, unless those are kept.
 */
export function blobsToDelete(
  names: readonly string[],
  { state, keepUpdates }: { readonly state: FederationState; readonly keepUpdates: boolean },
): readonly string[] {
  const versions = new Set([...versionsNeeded(state), 0, state.modelVersion - 1]);
  // A model that lies there before the log tells of it is that of the round that is closing.
  const isModelNeeded = (version: number): boolean => versions.has(version) || version > state.modelVersion;
  const openRound = state.open?.round ?? Infinity;
  return names.filter((name) => {
    const [, kind, number] = /^(model|memory|update)-(\d+)/.exec(name) ?? [];
    if (kind === undefined) return false;
    return kind === "update" ? !keepUpdates && Number(number) < openRound : !isModelNeeded(Number(number));
  });
}
