import type { BigModel, BigModelCall, Frame } from "@sedna-js/core";
import { privateFrame } from "./private-frame.ts";
import type { PrivacyPolicy } from "./privacy-policy.ts";

/**
 * A big model that is shown what the policy allows, and nothing else. Its answers are in the pixels of the frame,
 * whatever part of it was shown.
 *
 * @throws {SednaError} `privacy-forbids` from `inference`, not retryable, before anything is encoded or sent.
 */
export function privateBigModel<Result>(
  bigModel: BigModel<Frame, Result>,
  policy: PrivacyPolicy<Frame, Result>,
): BigModel<Frame, Result> {
  return {
    async inference(sample: Frame, call: BigModelCall<Result>): Promise<Result> {
      const { frame, offset, close } = await privateFrame({
        frame: sample,
        result: call.edgeResult ?? null,
        policy,
      });
      try {
        call.signal.throwIfAborted();
        return shifted(await bigModel.inference(frame, call), offset);
      } finally {
        close();
      }
    },
  };
}

/** Boxes by where they are in the whole frame; answers without boxes are not changed. */
function shifted<Result>(result: Result, { x, y }: { readonly x: number; readonly y: number }): Result {
  if ((x === 0 && y === 0) || !Array.isArray(result) || !result.every((row) => Array.isArray(row)))
    return result;
  return result.map(([x1, y1, x2, y2, ...rest]: number[]) => [
    x1! + x,
    y1! + y,
    x2! + x,
    y2! + y,
    ...rest,
  ]) as Result;
}
