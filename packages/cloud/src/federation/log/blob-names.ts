import { allClients, type FederationState } from "@sedna-js/core/federation";

/** Returns the blob name of a model version. */
export const modelBlob = (version: number): string => `model-${version}`;

/** Returns the blob name of the aggregator's server state after a model version. */
export const memoryBlob = (version: number): string => `memory-${version}`;

/**
 * Returns the blob name of an accepted update. `place` is its index among the accepted updates of the round.
 */
export const updateBlob = (round: number, place: number): string => `update-${round}-${place}`;

/** Returns the name of one of the two blobs that hold the checkpoint of the active round in turn. */
export const sumBlob = (turn: number): string => `sum-${turn}`;

/**
 * Returns the model versions that clients may request: the latest, that of the active round, and those on
 * which clients train.
 */
export function versionsNeeded({ modelVersion, open, assignments }: FederationState): ReadonlySet<number> {
  return new Set([
    modelVersion,
    ...(open ? [open.modelVersion] : []),
    ...allClients(assignments).map((assignment) => assignment.modelVersion),
  ]);
}

/**
 * Returns the blobs that are no longer needed: all models and server states except those of version 0, of the
 * latest two versions, and of versions in use; and the updates of closed rounds, unless updates are kept.
 */
export function blobsToDelete(
  names: readonly string[],
  { state, keepUpdates }: { readonly state: FederationState; readonly keepUpdates: boolean },
): readonly string[] {
  const versions = new Set([...versionsNeeded(state), 0, state.modelVersion - 1]);
  // A model that is newer than the log belongs to the round that is closing.
  const isModelNeeded = (version: number): boolean => versions.has(version) || version > state.modelVersion;
  const openRound = state.open?.round ?? Infinity;
  return names.filter((name) => {
    const [, kind, number] = /^(model|memory|update)-(\d+)/.exec(name) ?? [];
    if (kind === undefined) return false;
    return kind === "update" ? !keepUpdates && Number(number) < openRound : !isModelNeeded(Number(number));
  });
}
