import { SednaError, type Aggregator } from "@sedna-js/core";
import { getClient, type FederationEvent } from "@sedna-js/core/federation";
import { loadVectorKernels, type VectorKernels } from "@sedna-js/wasm-kernels";
import { updateBlob } from "../log/blob-names.ts";
import type { FederationLog } from "../log/federation-log.ts";
import { readModel } from "../log/model-versions.ts";
import { replayLog } from "../log/replay-log.ts";
import { readMessage } from "./restore-accumulator.ts";
import { createRoundAccumulator } from "./round-accumulator.ts";

type Counted = Extract<FederationEvent, { type: "accepted" }>;

/** Options of {@link recomputeModel}. */
export interface RecomputeOptions {
  /** The aggregator of the federation. An aggregator that draws, or adds noise, makes other models. */
  readonly aggregator: Aggregator;
  /** Clip norm of the federation. */
  readonly clipNorm?: number;
  readonly random?: () => number;
  readonly kernels?: VectorKernels;
}

/** What `addKept` takes. */
interface AddKeptOptions {
  readonly place: number;
  readonly update: Counted;
  readonly version: number;
}

/**
 * Recomputes the latest model of a federation for an audit, from its initial model and the accepted updates.
 * The log must be open, and must have been kept with `keepUpdates`.
 *
 * @throws {SednaError} `storage-failed` If the log is empty or begins with a snapshot, or if an update is
 * missing or is not the accepted one.
 */
export async function recomputeModel(
  log: FederationLog,
  { aggregator, clipNorm, random = Math.random, kernels: given }: RecomputeOptions,
): Promise<Float32Array> {
  const rounds: { readonly round: number; readonly version: number; readonly updates: readonly Counted[] }[] =
    [];
  let accepted: Counted[] = [];
  const records = await log.read();
  if (records[0]?.type === "snapshot")
    throw new SednaError(
      "recompute a model: expected a log that was kept from its start, with keepUpdates; got one that begins with a snapshot",
      { code: "storage-failed" },
    );
  const replayed = replayLog(records, {
    onEvent: (event, { before, after, effects }) => {
      if (
        event.type === "accepted" &&
        after.open &&
        getClient(after.open.accepted, event.client) &&
        !(before.open && getClient(before.open.accepted, event.client))
      )
        accepted.push(event);
      if (after.modelVersion !== before.modelVersion)
        rounds.push({ round: before.open!.round, version: before.open!.modelVersion, updates: accepted });
      if (!after.open || effects.some(({ type }) => type === "open")) accepted = [];
    },
  });
  if (!replayed)
    throw new SednaError("recompute a model: expected a log of a federation; got an empty one", {
      code: "storage-failed",
    });
  const kernels = given ?? (await loadVectorKernels());
  try {
    let { parameters: model } = await readModel(log, replayed.models.get(0)!);
    let serverState: Float32Array | undefined;
    for (const { round, version, updates } of rounds) {
      const sum = createRoundAccumulator({
        round,
        aggregator,
        kernels,
        base: model,
        serverState,
        capacity: updates.length,
        limits: limitsOf(model.length, clipNorm),
        random,
      });
      try {
        for (const [place, update] of updates.entries()) await addKept(sum, { place, update, version });
        ({ model, serverState } = sum.finish());
      } finally {
        sum.dispose();
      }
    }
    return model;
  } finally {
    if (!given) kernels.dispose();
  }

  async function addKept(
    sum: ReturnType<typeof createRoundAccumulator>,
    { place, update, version }: AddKeptOptions,
  ): Promise<void> {
    const fail = (got: string): SednaError =>
      new SednaError(
        `recompute a model: expected update ${place} of round ${sum.round}, which was accepted; got ${got}`,
        { code: "storage-failed" },
      );
    const bytes = await log.getBlob(updateBlob(sum.round, place));
    if (!bytes) throw fail("none");
    const read = readMessage(bytes, {
      round: update.round,
      limits: { ...limitsOf(sum.length, clipNorm), encoding: undefined },
      kernels,
    });
    if ("rejected" in read) throw fail(read.error);
    if (update.digest !== "" && read.digest !== update.digest) throw fail(`one of checksum ${read.digest}`);
    const rejection = sum.add(read.update(), {
      client: update.client,
      numSamples: update.weight,
      staleness: Math.max(0, version - update.modelVersion),
    });
    if (rejection) throw fail(rejection.error);
  }
}

/** Returns the limits for an update that was already accepted: of these, only the clipping matters. */
const limitsOf = (length: number, clipNorm: number | undefined) => ({
  length,
  encoding: undefined,
  maxNumSamples: Number.MAX_SAFE_INTEGER,
  clipNorm: clipNorm,
});
