import { isFrame } from "@sedna-js/core/vision";
import { receiveFrame, shareFrame } from "#platform/frames";

/** A private copy of a sample, valid until it is released. */
export interface CopiedSample<Sample> {
  readonly sample: Sample;
  release(): void;
}

/**
 * Copies a sample that belongs to another owner. The sample is read during the call, so that its owner may
 * close or overwrite it as soon as this function returns.
 * @throws If the sample cannot be copied: a closed frame, or an object with functions.
 */
export async function copySample<Sample>(sample: Sample): Promise<CopiedSample<Sample>> {
  if (!isFrame(sample)) return { sample: structuredClone(sample), release() {} };
  // Share the frame as for a Worker: the receiver owns the result.
  const frame = receiveFrame((await shareFrame(sample)).handle);
  return { sample: frame as Sample, release: () => frame.close() };
}
