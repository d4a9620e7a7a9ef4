/** Quality of class probabilities. */
export interface Score {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Fraction of the samples whose most likely class is correct. The first class wins a tie. */
  readonly accuracy: number;
}

/**
 * Smallest normal float32 above 0, so that a softmax that underflowed to 0 does not give an infinite loss.
 */
const LEAST = 2 ** -126;

/** Computes the loss and accuracy of class probabilities `[n, classes]`. */
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
