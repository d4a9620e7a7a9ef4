import { isFrame } from "@sedna-js/core/vision";
import { receiveFrame, shareFrame } from "#platform/frames";

/** A sample that is one's own until it is released. */
export interface HeldSample<Sample> {
  readonly sample: Sample;
  release(): void;
}

/**
 * A copy of a sample that is somebody else's. It is read in the call, so that its owner may close or
 * overwrite it as soon as this returns.
 * @throws what cannot be copied: a frame that is closed, an object with functions.
 */
export async function holdSample<Sample>(sample: Sample): Promise<HeldSample<Sample>> {
  if (!isFrame(sample)) return { sample: structuredClone(sample), release() {} };
  // As if it went to a Worker: what is shared then is the receiver's own.
  const frame = receiveFrame((await shareFrame(sample)).handle);
  return { sample: frame as Sample, release: () => frame.close() };
}
