import type { BigModel, BigModelCall, Detections, Frame } from "@sedna-js/core";
import { privateFrame } from "./private-frame.ts";
import type { PrivacyPolicy } from "./privacy-policy.ts";

/**
 * A big model that is shown what the policy allows, and nothing else. Its answers are in the pixels of the frame,
 * whatever part of it was shown.
 *
 * @throws {SednaError} `privacy-forbids` from `inference`, not retryable, before anything is encoded or sent.
 */
export function privateBigModel(bigModel: BigModel<Frame, Detections>, policy: PrivacyPolicy<Frame, Detections>): BigModel<Frame, Detections> {
  return {
    async inference(sample: Frame, call: BigModelCall<Detections>): Promise<Detections> {
      const { frame, offset: { x, y }, close } = await privateFrame({ frame: sample, result: call.edgeResult ?? null, policy });
      try {
        call.signal.throwIfAborted();
        const rows = await bigModel.inference(frame, call);
        return x === 0 && y === 0 ? rows : rows.map(([x1, y1, x2, y2, score, label]) => [x1 + x, y1 + y, x2 + x, y2 + y, score, label] as const);
      } finally {
        close();
      }
    },
  };
}
