/** One detection: xmin, ymin, xmax, ymax in pixels, score in [0,1], class label. */
export type DetectionRow = ArrayLike<number>;

/** Input of Sedna's miners: the detection rows of one image, or the class probabilities of one sample. */
export type InferResult = readonly DetectionRow[] | ArrayLike<number>;

/** Returns true if a sample is hard, that is, worth uploading. Sedna's interface. */
export type HardExampleMiner<Judged = InferResult> = (inferResult: Judged) => boolean;

/** Index of the score in a detection row. */
export const SCORE = 4;
