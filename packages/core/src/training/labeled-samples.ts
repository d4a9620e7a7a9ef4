/** A sample and its class. */
export interface LabeledSample<Sample> {
  readonly sample: Sample;
  /** From 0 up. */
  readonly label: number;
}

/**
 * Labelled samples that can be read again and again. Frames among them are made anew each time, and their
 * reader's to close.
 */
export interface LabeledSamples<Sample> extends AsyncIterable<LabeledSample<Sample>> {
  /** Another one as soon as a sample is: by it an estimator keeps what it made of them, such as features. */
  readonly version: string;
  /** How many there are, where that is known without reading them all. */
  readonly count?: number;
}
