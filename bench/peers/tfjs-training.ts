import { transposed } from "./onnx-matching.ts";
import { isMissing, peerOrReason, type MissingPeer, type Peer } from "./peer.ts";
import { loadTfjs, type Tensor2D, type Tfjs } from "./tfjs.ts";
import type { Training, TrainingPeer } from "./training.ts";

interface Batch {
  /** `[n, features + 1]`: the last feature is 1, so that the bias is a row of the weights. */
  readonly inputs: Tensor2D;
  /** The same transposed, over n: tfjs multiplies with a transposing flag by a slow path. */
  readonly transposed: Tensor2D;
  /** `[n, classes]` */
  readonly targets: Tensor2D;
}

const PARAMETER = "head";

/**
 * A softmax head trained on tfjs's WASM backend, in the best form found: batches made beforehand, the gradient
 * written out (two products, a softmax and a difference) and not derived, tfjs's own optimizers.
 */
export async function tfjsSoftmaxTraining(training: Training): Promise<TrainingPeer | MissingPeer> {
  const name = "tfjs-backend-wasm";
  const made: { peer?: TrainingPeer } = {};
  const loaded = await peerOrReason(name, async () => {
    const { tf, version } = await loadTfjs();
    made.peer = trainer(tf, { name, version, training });
    return made.peer as unknown as Peer;
  });
  return isMissing(loaded) ? loaded : made.peer!;
}

function trainer(tf: Tfjs, { name, version, training }: { readonly name: string; readonly version: string; readonly training: Training }): TrainingPeer {
  const { features, classes, epochs, optimizer } = training;
  const batches = batchesOf(tf, training);
  const width = features + 1;
  const zeros = tf.zeros([width, classes]);
  let reached: Float32Array = new Float32Array(width * classes);
  return {
    name,
    version,
    layout: "1 thread, WebAssembly simd128; batches, their transposes and targets made beforehand, gradient written out, bias as a feature",
    run() {
      const weights = tf.variable(zeros, true, PARAMETER);
      const moves = optimizer.kind === "sgd" ? tf.train.sgd(optimizer.learningRate) : tf.train.adam(optimizer.learningRate, 0.9, 0.999, 1e-8);
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (const batch of batches) {
          tf.tidy(() => {
            const errors = tf.sub(tf.softmax(tf.matMul(batch.inputs, weights)), batch.targets);
            moves.applyGradients({ [PARAMETER]: tf.matMul(batch.transposed, errors) });
          });
        }
      }
      reached = weights.dataSync() as Float32Array;
      weights.dispose();
      moves.dispose();
    },
    weights() {
      // From [features + 1, classes]: the last row, of the constant feature, is the biases.
      const biases = features * classes;
      const out = new Float32Array(width * classes);
      out.set(transposed(reached.subarray(0, biases), classes));
      out.set(reached.subarray(biases), biases);
      return out;
    },
    dispose() {
      zeros.dispose();
      for (const batch of batches) for (const tensor of Object.values(batch) as Tensor2D[]) tensor.dispose();
    },
  };
}

function batchesOf(tf: Tfjs, { samples, labels, features, classes, batchSize }: Training): Batch[] {
  const width = features + 1;
  const batches: Batch[] = [];
  for (let start = 0; start < labels.length; start += batchSize) {
    const end = Math.min(start + batchSize, labels.length);
    const count = end - start;
    const inputs = new Float32Array(count * width);
    const targets = new Float32Array(count * classes);
    for (let i = 0; i < count; i++) {
      inputs.set(samples.subarray((start + i) * features, (start + i + 1) * features), i * width);
      inputs[(i + 1) * width - 1] = 1;
      targets[i * classes + labels[start + i]!] = 1;
    }
    batches.push({
      inputs: tf.tensor2d(inputs, [count, width]),
      transposed: tf.tensor2d(transposed(inputs, width).map((value) => value / count), [width, count]),
      targets: tf.tensor2d(targets, [count, classes]),
    });
  }
  return batches;
}
