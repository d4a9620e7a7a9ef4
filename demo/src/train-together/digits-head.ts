/** The head that the tabs train: ten classes of 14 x 14 pixels. */
export const digitsHead = { kind: "softmax", features: 196, classes: 10 } as const;

/**
 * Returns the most likely class of each digit for the flat parameters of the head: weights `[10, 196]`, then
 * biases.
 */
export function predictDigits(parameters: Float32Array, features: Float32Array): Uint8Array {
  const { features: width, classes } = digitsHead;
  return Uint8Array.from({ length: features.length / width }, (_, digit) => {
    let best = { label: 0, score: -Infinity };
    for (let label = 0; label < classes; label++) {
      let score = parameters[classes * width + label]!;
      for (let i = 0; i < width; i++) score += parameters[label * width + i]! * features[digit * width + i]!;
      if (score > best.score) best = { label, score };
    }
    return best.label;
  });
}

/** Returns the fraction of right predictions. */
export function accuracyOf(answers: Uint8Array, labels: Uint8Array): number {
  return answers.filter((answer, i) => answer === labels[i]).length / labels.length;
}
