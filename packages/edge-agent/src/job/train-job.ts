/** Where a training job's samples come from; paths. */
export type TrainingData =
  /**
   * A folder of folders of pictures: each named as its class, in the order of `classes`, else of their names.
   */
  | { readonly pictures: string; readonly classes?: readonly string[] }
  /** IDX files as MNIST has them: pictures and their labels, packed by gzip or not. */
  | { readonly images: string; readonly labels: string }
  /** A safetensors file: `features` [n, width] as float32 and `labels` [n] of whole numbers. */
  | { readonly table: string };

/** What a device trains with others, as its owner writes it down. */
export interface TrainJob {
  readonly name: string;
  readonly federation: {
    readonly url: string;
    readonly name: string;
    readonly control: "socket" | "poll";
    /** With it the device makes a key, is enrolled by it once, and proves who it is from then on. */
    readonly enrollmentToken?: string;
    readonly audience?: string;
  };
  readonly data: TrainingData;
  /**
   * A model that makes features of samples. Without it the numbers of the samples are the features, a
   * picture's in 0..1.
   */
  readonly features?: {
    readonly model: string;
    /** A value inside of the model to end at. */
    readonly output?: string;
    /** How pictures become its input: `layout`, `mean`, `std`, `fit`, `channels`. */
    readonly input?: Readonly<Record<string, unknown>>;
  };
  readonly pauses?: {
    /** Waits while a battery discharges and holds less than this share of its charge. */ readonly battery?: number;
  };
  /** Where the final model goes, as safetensors. */
  readonly save?: string;
  /** Where keys and features are kept. */
  readonly state?: string;
}
