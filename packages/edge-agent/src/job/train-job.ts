/** Paths of a training job's samples. */
export type TrainingData =
  /**
   * A folder with one folder of images per class. The classes are numbered in the order of `classes`, or of
   * the folder names without it.
   */
  | { readonly pictures: string; readonly classes?: readonly string[] }
  /** IDX files like those of MNIST: images and their labels, optionally compressed with gzip. */
  | { readonly images: string; readonly labels: string }
  /** A safetensors file: `features` [n, width] as float32 and `labels` [n] of whole numbers. */
  | { readonly table: string };

/** A device's training job in a federation, as its owner writes it. */
export interface TrainJob {
  readonly name: string;
  readonly federation: {
    readonly url: string;
    readonly name: string;
    readonly control: "socket" | "poll";
    /** Enrolls the device once: with a token, the device creates a key and signs in with it from then on. */
    readonly enrollmentToken?: string;
    readonly audience?: string;
  };
  readonly data: TrainingData;
  /**
   * A model that computes features of samples. Without it, the values of the samples are the features; pixel
   * values are scaled to 0..1.
   */
  readonly features?: {
    readonly model: string;
    /** Name of an inner value of the model to use as the output. */
    readonly output?: string;
    /** Preprocessing of images for the model: `layout`, `mean`, `std`, `fit`, `channels`. */
    readonly input?: Readonly<Record<string, unknown>>;
  };
  readonly pauses?: {
    /** Pauses training while a battery discharges and its charge is below this fraction. */
    readonly battery?: number;
  };
  /** Path of the final model, a safetensors file. */
  readonly save?: string;
  /** Directory for keys and cached features. */
  readonly state?: string;
}
