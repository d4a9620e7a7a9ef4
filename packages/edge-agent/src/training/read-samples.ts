import type { LabeledSample, LabeledSamples } from "@sedna-js/core";
import { abortable } from "@sedna-js/core/async";

/** Options of {@link sampleGroups}. */
export interface SampleGroupOptions {
  /** Samples per group. The last group may have fewer. */
  readonly size: number;
  /** Number of classes. Labels must be below it. */
  readonly classes: number;
  readonly signal: AbortSignal;
}

/**
 * Reads labeled samples in groups. An abort does not wait for a source that hangs. The reader owns the
 * yielded samples and must close those that hold memory.
 *
 * @throws {RangeError} If a label is not a class.
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
      // `return()` of a hanging generator settles only after its pending step, so do not wait for it.
      const closing = Promise.resolve(iterator.return?.()).catch(() => undefined);
      if (!hangs) await closing;
    }
  }
}

/** Closes a sample that holds its own memory, such as a video frame. Ignores other samples. */
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
