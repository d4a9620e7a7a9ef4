import type { JointResult, JointStatistics } from "./types.ts";

/** Counts results; see {@link createStatistics}. */
export interface Statistics {
  /** Counts a sample's first result, or its failure. */
  answered(result: JointResult<unknown>): void;
  /** Counts the cloud's result, or its failure, for a sample that already has a result. */
  followed(result: JointResult<unknown>): void;
  /** Counts a sample that neither side could process. */
  failed(): void;
  offloaded(): void;
  dropped(): void;
  snapshot(): JointStatistics;
}

/**
 * Creates the counters of one joint inference. Sedna counts an uploaded sample twice; here each sample counts
 * once.
 */
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
