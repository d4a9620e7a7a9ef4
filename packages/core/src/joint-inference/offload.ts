import { SednaError } from "../errors.ts";
import type { BigModel, BigModelAnswer } from "./types.ts";

/**
 * Asks the big model, and answers by the deadline whatever it does: a transport that ignores its signal
 * cannot hold a sample back.
 *
 * @throws {SednaError} `cloud-timeout` at the deadline; else what the big model threw.
 */
export async function offload<Sample, Result>(
  bigModel: BigModel<Sample, Result>,
  sample: Sample,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal },
): Promise<BigModelAnswer<Result>> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  let abort: () => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signal?.reason);
      controller.abort(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new SednaError(`ask the big model: expected an answer within ${deadlineMs} ms; got none`, { code: "cloud-timeout", retryable: true });
      reject(error);
      controller.abort(error);
    }, deadlineMs);
  });
  try {
    return await Promise.race([bigModel.inference(sample, { signal: controller.signal, deadlineMs }), late, stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
