import { createEmitter, type Emitter } from "../async/emitter.ts";
import type { JointEvent, JointResult, JointStatistics } from "./types.ts";

/** Counts results, and emits an event for each; see {@link createStatistics}. */
export interface Statistics<Result, Sample> extends Pick<Emitter<JointEvent<Result, Sample>>, "on"> {
  /** Counts a sample's first result, or its failure. */
  answered(result: JointResult<Result, Sample>): void;
  /** Counts the cloud's result, or its failure, for a sample that already has a result. */
  followed(result: JointResult<Result, Sample>): void;
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
export function createStatistics<Result, Sample>(): Statistics<Result, Sample> {
  const { emit, on } = createEmitter<JointEvent<Result, Sample>>();
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
    on,
    answered(result) {
      if (result.result === null) counts.failedNumber++;
      else {
        counts.inferenceNumber++;
        if (result.isHardExample) counts.hardExampleNumber++;
        outcome(result);
      }
      emit({ type: "result", result });
    },
    followed(result) {
      outcome(result);
      emit({ type: "result", result });
    },
    failed: () => void counts.failedNumber++,
    offloaded: () => void counts.offloadedNumber++,
    dropped() {
      counts.droppedNumber++;
      emit({ type: "dropped" });
    },
    snapshot: () => ({
      ...counts,
      uploadCloudRatio: counts.inferenceNumber === 0 ? 0 : counts.hardExampleNumber / counts.inferenceNumber,
    }),
  };
}
