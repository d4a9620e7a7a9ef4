import type { SampleSet } from "./simulation-data.ts";

/** How good a softmax head is. */
export interface Judgement {
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of the samples whose class got the highest probability. */
  readonly accuracy: number;
}

/** Judges the flat parameters of a softmax head, `[classes, features]` weights and then biases, by samples that nobody trained on. */
export function judgeSoftmax(model: Float32Array, { samples, labels }: SampleSet): Judgement {
  const features = samples.length / labels.length;
  const classes = model.length / (features + 1);
  const logits = new Float64Array(classes);
  let loss = 0;
  let right = 0;
  for (const [row, label] of labels.entries()) {
    let best = 0;
    for (let k = 0; k < classes; k++) {
      let sum = model[classes * features + k]!;
      for (let j = 0; j < features; j++) sum += model[k * features + j]! * samples[row * features + j]!;
      logits[k] = sum;
      if (sum > logits[best]!) best = k;
    }
    const most = logits[best]!;
    loss +=
      most + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - most), 0)) - logits[label]!;
    if (best === label) right++;
  }
  return { loss: loss / labels.length, accuracy: right / labels.length };
}
