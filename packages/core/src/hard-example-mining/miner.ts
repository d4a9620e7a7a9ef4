/** One detection: xmin, ymin, xmax, ymax in pixels, score in [0,1], class label. */
export type DetectionRow = ArrayLike<number>;

/** What Sedna's miners judge: detection rows of one image, or one sample's class probabilities. */
export type InferResult = readonly DetectionRow[] | ArrayLike<number>;

/** Says whether a sample is hard, that is, worth its upload. Sedna's interface. */
export type HardExampleMiner<Judged = InferResult> = (inferResult: Judged) => boolean;

/** Index of the score in a detection row. */
export const SCORE = 4;
