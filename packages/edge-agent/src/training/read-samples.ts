import type { LabeledSample, LabeledSamples } from "@sedna-js/core";
import { abortable } from "@sedna-js/core/async";

/** How {@link sampleGroups} reads. */
export interface SampleGroupOptions {
  /** Samples a group; the last may have fewer. */
  readonly size: number;
  /** Labels are below this. */
  readonly classes: number;
  readonly signal: AbortSignal;
}

/**
 * Labelled samples in groups. Does not wait for a source that hangs when `signal` says stop. Samples that hold memory
 * are the reader's from here on.
 * @throws {RangeError} on a label that is no class.
 */
export async function* sampleGroups<Sample>(
  samples: LabeledSamples<Sample>,
  { size, classes, signal }: SampleGroupOptions,
): AsyncGenerator<readonly LabeledSample<Sample>[]> {
  const iterator = samples[Symbol.asyncIterator]();
  let group: LabeledSample<Sample>[] = [];
  let read = 0;
  let hangs = false;
  let ended = false;
  try {
    while (!ended) {
      signal.throwIfAborted();
      hangs = true;
      const next = await abortable(iterator.next(), signal);
      hangs = false;
      ended = next.done === true;
      if (!next.done) {
        group.push(next.value);
        checkLabel(next.value.label, { at: read++, classes });
      }
      if (group.length === size || (ended && group.length > 0)) {
        const whole = group;
        group = [];
        yield whole;
      }
    }
  } finally {
    for (const { sample } of group) closeSample(sample);
    if (!ended) {
      // A generator that hangs answers this only after what it hangs on.
      const closing = Promise.resolve(iterator.return?.()).catch(() => undefined);
      if (!hangs) await closing;
    }
  }
}

/** Closes a sample that holds memory of its own, such as a video frame; others need nothing. */
export function closeSample(sample: unknown): void {
  if (
    typeof sample === "object" &&
    sample !== null &&
    "close" in sample &&
    typeof sample.close === "function"
  )
    sample.close();
}

function checkLabel(
  label: unknown,
  { at, classes }: { readonly at: number; readonly classes: number },
): void {
  const isClass = Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes;
  if (!isClass)
    throw new RangeError(
      `read labeled samples: expected the label of sample ${at} to be an integer from 0 to ${classes - 1}; got ${String(label)}`,
    );
}
