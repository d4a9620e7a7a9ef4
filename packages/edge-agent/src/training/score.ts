/** How right probabilities are. */
export interface Score {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Share of the samples whose most likely class, of equal ones the first, is right. */
  readonly accuracy: number;
}

/** The least float32 above 0 with all its digits: a softmax that underflowed to 0 is not infinitely wrong. */
const LEAST = 2 ** -126;

/** Scores class probabilities `[n, classes]`. */
export function scoreOf(
  probabilities: Float32Array,
  { labels, classes }: { readonly labels: Uint32Array; readonly classes: number },
): Score {
  let loss = 0;
  let right = 0;
  for (const [i, label] of labels.entries()) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    loss -= Math.log(Math.max(row[label]!, LEAST));
    let best = 0;
    for (let c = 1; c < classes; c++) if (row[c]! > row[best]!) best = c;
    if (best === label) right++;
  }
  return { loss: loss / labels.length, accuracy: right / labels.length };
}
