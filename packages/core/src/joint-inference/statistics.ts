import type { JointResult, JointStatistics } from "./types.ts";

/** Counts results; see {@link createStatistics}. */
export interface Statistics {
  /** Counts a sample's first answer, or its failure. */
  answered(result: JointResult<unknown>): void;
  /** Counts what the cloud added, or failed to add, to a sample that was answered before. */
  followed(result: JointResult<unknown>): void;
  /** Counts a sample that nobody could answer. */
  failed(): void;
  offloaded(): void;
  dropped(): void;
  snapshot(): JointStatistics;
}

/** The counters of one joint inference. Sedna counts an uploaded sample twice; here each counts once. */
export function createStatistics(): Statistics {
  const counts = {
    inferenceNumber: 0,
    hardExampleNumber: 0,
    offloadedNumber: 0,
    cloudNumber: 0,
    fallbackNumber: 0,
    failedNumber: 0,
    droppedNumber: 0,
    bytesUp: 0,
    bytesDown: 0,
  };

  const outcome = ({ source, bytes }: JointResult<unknown>): void => {
    if (source === "cloud") counts.cloudNumber++;
    if (source === "fallback") counts.fallbackNumber++;
    counts.bytesUp += bytes.up;
    counts.bytesDown += bytes.down;
  };

  return {
    answered(result) {
      if (result.result === null) {
        counts.failedNumber++;
        return;
      }
      counts.inferenceNumber++;
      if (result.isHardExample) counts.hardExampleNumber++;
      outcome(result);
    },
    followed: outcome,
    failed: () => void counts.failedNumber++,
    offloaded: () => void counts.offloadedNumber++,
    dropped: () => void counts.droppedNumber++,
    snapshot: () => ({
      ...counts,
      uploadCloudRatio: counts.inferenceNumber === 0 ? 0 : counts.hardExampleNumber / counts.inferenceNumber,
    }),
  };
}
