/** A sample and its class. */
export interface LabeledSample<Sample> {
  readonly sample: Sample;
  /** From 0 up. */
  readonly label: number;
}

/**
 * Labeled samples that can be read repeatedly. Frames are created for each read, and the reader must close
 * them.
 */
export interface LabeledSamples<Sample> extends AsyncIterable<LabeledSample<Sample>> {
  /**
   * Changes whenever a sample changes. An estimator uses it to cache what it computes from the samples, such
   * as features.
   */
  readonly version: string;
  /** Number of samples, if it is known without reading all of them. */
  readonly count?: number;
}
