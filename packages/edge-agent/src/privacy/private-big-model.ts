import type { BigModel, BigModelCall, Frame } from "@sedna-js/core";
import { privateFrame } from "./private-frame.ts";
import type { PrivacyPolicy } from "./privacy-policy.ts";

/**
 * Wraps a big model so that it receives only what the policy allows. Boxes in its result are in the pixels of
 * the whole frame, whatever part was sent.
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

/** Shifts boxes to their position in the whole frame. A result without boxes is returned unchanged. */
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
