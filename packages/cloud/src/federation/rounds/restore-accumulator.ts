import { SednaError } from "@sedna-js/core";
import type { VectorKernels } from "@sedna-js/wasm-kernels";
import { updateBlob } from "../log/blob-names.ts";
import type { FederationLog } from "../log/federation-log.ts";
import type { OpenedLog } from "../log/open-log.ts";
import { floatsOf } from "../log/float-bytes.ts";
import type { RoundAccumulator } from "./round-accumulator.ts";
import { decodeUpload } from "../updates/decode-upload.ts";
import { type UpdateLimits } from "../updates/validate-update.ts";

/** Options of {@link restoreAccumulator}. */
interface RestoreAccumulatorOptions {
  readonly log: FederationLog;
  readonly opened: OpenedLog;
  readonly limits: UpdateLimits;
  readonly kernels: VectorKernels;
}

/**
 * Restores the accumulator of the active round from the log: from the last checkpoint, or from the updates if
 * the aggregator needs them.
 * @throws {SednaError} `storage-failed` If a blob that the log names is missing or invalid.
 */
export async function restoreAccumulator(
  sum: RoundAccumulator,
  { log, opened, limits, kernels }: RestoreAccumulatorOptions,
): Promise<void> {
  const { sum: checkpoint, accepted, state } = opened;
  if (accepted.length === 0) return;
  if (!sum.keepsUpdates) {
    const mean = checkpoint?.mean === undefined ? undefined : await log.getBlob(checkpoint.mean);
    if (!checkpoint || !mean || checkpoint.count !== accepted.length)
      throw new SednaError(
        `restore a round: expected the sum of ${accepted.length} updates; got ${mean && checkpoint ? `that of ${checkpoint.count}` : "none"}`,
        { code: "storage-failed" },
      );
    sum.restore({ count: checkpoint.count, totalWeight: checkpoint.totalWeight, mean: floatsOf(mean) });
    return;
  }
  for (const [place, { client, round, modelVersion, weight }] of accepted.entries()) {
    // The blob name has the round that accepted the update; a buffer also accepts updates from earlier
    // rounds.
    const bytes = await log.getBlob(updateBlob(sum.round, place));
    const read = bytes && readMessage(bytes, { round, limits, kernels });
    if (!read || "rejected" in read)
      throw new SednaError(
        `restore a round: expected update ${place} of round ${sum.round}; got ${read ? read.error : "none"}`,
        { code: "storage-failed" },
      );
    const rejection = sum.add(read.update(), {
      client,
      numSamples: weight,
      staleness: Math.max(0, state.open!.modelVersion - modelVersion),
    });
    if (rejection)
      throw new SednaError(`restore a round: expected an accepted update; got ${rejection.error}`, {
        code: "storage-failed",
      });
  }
}

/** Options of {@link readMessage}. */
interface ReadMessageOptions {
  readonly round: number;
  readonly limits: UpdateLimits;
  readonly kernels: VectorKernels;
}

/** Decodes a message that is kept in the log. */
export function readMessage(
  bytes: Uint8Array<ArrayBuffer>,
  { round, limits, kernels }: ReadMessageOptions,
): ReturnType<typeof decodeUpload> {
  return decodeUpload({ bytes, total: bytes.length }, { round, limits, kernels });
}
