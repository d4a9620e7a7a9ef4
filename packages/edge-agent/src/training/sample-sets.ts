import type { LabeledSamples, TrainingPauses } from "@sedna-js/core";
import { createSerialQueue, abortable } from "@sedna-js/core/async";
import { untilResumed } from "@sedna-js/core/training";
import { nextTask } from "#platform/async";
import type { SetExtractor } from "./cached-extractor.ts";
import { closeSample, sampleGroups } from "./read-samples.ts";

/** The features and classes of labeled samples. */
export interface SampleSet {
  /** Features, `[count, width]`. */
  readonly features: Float32Array;
  readonly labels: Uint32Array;
}

/** Options of a {@link SampleSets} call. */
export interface ReadSetOptions {
  readonly signal: AbortSignal;
  /** Called with the number of samples whose features have been extracted. */
  readonly onRead?: ((done: number) => void) | undefined;
  readonly pauses?: TrainingPauses | undefined;
}

/** Sample sets by version, with a limit on their memory. */
export interface SampleSets<Sample> {
  /**
   * Returns the set of these samples. Reads the samples if the set is not in memory.
   *
   * @throws {RangeError} If there are no samples, a label is not a class, or the features are not finite or
   * exceed the memory limit.
   * @throws {TypeError} If the features have another width.
   */
  get(samples: LabeledSamples<Sample>, options: ReadSetOptions): Promise<SampleSet>;
  /** Releases the sets and rejects the calls that wait. */
  close(): Promise<void>;
}

/** Options of {@link createSampleSets}. */
export interface SampleSetsOptions<Sample> {
  readonly extractor: SetExtractor<Sample>;
  readonly width: number;
  readonly classes: number;
  /** Maximum size of all sets together, in bytes. */
  readonly maxBytes: number;
}

/** Samples per run of the feature model, and between two checks for an abort or a pause. */
const GROUP = 32;

/**
 * Creates sets of features that training, evaluation, and the next round share. The most recently used sets
 * are kept, up to `maxBytes`.
 */
export function createSampleSets<Sample>({
  extractor,
  width,
  classes,
  maxBytes,
}: SampleSetsOptions<Sample>): SampleSets<Sample> {
  const turns = createSerialQueue();
  // Insertion order is order of use: the first set is the least recently used.
  const kept = new Map<string, SampleSet>();
  const bytes = ({ features, labels }: SampleSet): number => features.byteLength + labels.byteLength;
  const mostRows = Math.floor(maxBytes / (4 * (width + 1)));

  const keep = (version: string, set: SampleSet): SampleSet => {
    kept.delete(version);
    kept.set(version, set);
    let held = [...kept.values()].reduce((sum, one) => sum + bytes(one), 0);
    for (const [old, one] of kept) {
      if (held <= maxBytes) break;
      kept.delete(old);
      held -= bytes(one);
    }
    return set;
  };

  const read = async (
    samples: LabeledSamples<Sample>,
    { signal, onRead, pauses }: ReadSetOptions,
  ): Promise<SampleSet> => {
    let features = new Float32Array(Math.min(1024, mostRows) * width);
    const labels: number[] = [];
    for await (const group of sampleGroups(samples, { size: GROUP, classes, signal })) {
      try {
        await untilResumed(pauses, signal);
        const count = labels.length + group.length;
        if (count > mostRows)
          throw new RangeError(
            `read labeled samples: expected at most ${mostRows} of ${width} features, which take ${maxBytes} bytes; got more. Raise maxFeatureBytes`,
          );
        // A model that hangs must not delay an abort.
        const rows = await abortable(
          extractor.extract(
            group.map(({ sample }) => sample),
            { signal },
          ),
          signal,
        );
        if (count * width > features.length)
          features = grown(features, Math.min(mostRows, 2 * count) * width);
        for (const [i, row] of rows.entries()) {
          const at = labels.length + i;
          if (!row.every(Number.isFinite))
            throw new RangeError(
              `read labeled samples: expected the features of sample ${at} to be finite; got ${row.find((value) => !Number.isFinite(value))}`,
            );
          features.set(row, at * width);
        }
        labels.push(...group.map(({ label }) => label));
      } finally {
        for (const { sample } of group) closeSample(sample);
      }
      onRead?.(labels.length);
      // Yield to other tasks: a runtime that computes in this thread would block everything, an abort too.
      await nextTask();
    }
    if (labels.length === 0) throw new RangeError("read labeled samples: expected at least one; got none");
    return { features: features.slice(0, labels.length * width), labels: Uint32Array.from(labels) };
  };

  return {
    get(samples, options) {
      const turn = turns.run(
        async () => {
          const known = kept.get(samples.version);
          return keep(
            samples.version,
            known ?? (await read(samples, options).finally(() => extractor.flush?.())),
          );
        },
        { signal: options.signal },
      );
      return abortable(turn, options.signal);
    },
    async close() {
      await turns.close();
      kept.clear();
    },
  };
}

function grown(array: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(length);
  larger.set(array);
  return larger;
}
