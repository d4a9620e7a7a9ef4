import { transposed } from "./onnx-matching.ts";
import { isMissing, peerOrReason, type MissingPeer, type Peer } from "./peer.ts";
import { loadTfjs, type Tensor2D, type Tfjs } from "./tfjs.ts";
import type { Training, TrainingPeer } from "./training.ts";

interface Batch {
  /** `[n, features + 1]`: the last feature is 1, so that the bias is a row of the weights. */
  readonly inputs: Tensor2D;
  /** `inputs` transposed and divided by n, because tfjs is slow at multiplying with a transposing flag. */
  readonly transposed: Tensor2D;
  /** `[n, classes]` */
  readonly targets: Tensor2D;
}

const PARAMETER = "head";
const NAME = "tfjs-backend-wasm";

/**
 * Trains a softmax head on tfjs's WASM backend in the best form found: batches created beforehand, a
 * hand-written gradient (two products, a softmax, and a difference), and tfjs's own optimizers.
 */
export function tfjsSoftmaxTraining(training: Training): Promise<TrainingPeer | MissingPeer> {
  return loaded((tf, version) => trainer(tf, { name: NAME, version, training }));
}

/**
 * Trains the same head as in tfjs's guide: `optimizer.minimize` of `losses.softmaxCrossEntropy`, on batches
 * created beforehand.
 */
export function tfjsGuideTraining(training: Training): Promise<TrainingPeer | MissingPeer> {
  return loaded((tf, version) => guideTrainer(tf, { version, training }));
}

async function loaded(
  make: (tf: Tfjs, version: string) => TrainingPeer,
): Promise<TrainingPeer | MissingPeer> {
  const made: { peer?: TrainingPeer } = {};
  const found = await peerOrReason(NAME, async () => {
    const { tf, version } = await loadTfjs();
    made.peer = make(tf, version);
    return made.peer as unknown as Peer;
  });
  return isMissing(found) ? found : made.peer!;
}

function guideTrainer(
  tf: Tfjs,
  { version, training }: { readonly version: string; readonly training: Training },
): TrainingPeer {
  const { features, classes, epochs, optimizer } = training;
  // The constant feature of the other form serves as the bias here.
  const batches = batchesOf(tf, training);
  const width = features + 1;
  let reached: Float32Array = new Float32Array(width * classes);
  return {
    name: `${NAME}, as in its guide`,
    version,
    layout:
      "1 thread, WebAssembly simd128; batches created beforehand, optimizer.minimize of losses.softmaxCrossEntropy",
    run() {
      const weights = tf.variable(tf.zeros([width, classes]), true, PARAMETER);
      const moves =
        optimizer.kind === "sgd"
          ? tf.train.sgd(optimizer.learningRate)
          : tf.train.adam(optimizer.learningRate, 0.9, 0.999, 1e-8);
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (const batch of batches)
          tf.tidy(() =>
            moves.minimize(() =>
              tf.losses.softmaxCrossEntropy(batch.targets, tf.matMul(batch.inputs, weights)),
            ),
          );
      }
      reached = weights.dataSync() as Float32Array;
      weights.dispose();
      moves.dispose();
    },
    weights: () => classRows(reached, { features, classes }),
    dispose() {
      for (const batch of batches) for (const tensor of Object.values(batch) as Tensor2D[]) tensor.dispose();
    },
  };
}

/**
 * Converts weights of shape `[features + 1, classes]`, whose last row holds the biases, to `[classes,
 * features]` and biases.
 */
function classRows(
  reached: Float32Array,
  { features, classes }: { readonly features: number; readonly classes: number },
): Float32Array {
  const biases = features * classes;
  const out = new Float32Array((features + 1) * classes);
  out.set(transposed(reached.subarray(0, biases), classes));
  out.set(reached.subarray(biases), biases);
  return out;
}

function trainer(
  tf: Tfjs,
  {
    name,
    version,
    training,
  }: { readonly name: string; readonly version: string; readonly training: Training },
): TrainingPeer {
  const { features, classes, epochs, optimizer } = training;
  const batches = batchesOf(tf, training);
  const width = features + 1;
  const zeros = tf.zeros([width, classes]);
  let reached: Float32Array = new Float32Array(width * classes);
  return {
    name,
    version,
    layout:
      "1 thread, WebAssembly simd128; batches, their transposes and targets created beforehand, hand-written gradient, bias as a feature",
    run() {
      const weights = tf.variable(zeros, true, PARAMETER);
      const moves =
        optimizer.kind === "sgd"
          ? tf.train.sgd(optimizer.learningRate)
          : tf.train.adam(optimizer.learningRate, 0.9, 0.999, 1e-8);
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
    weights: () => classRows(reached, { features, classes }),
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
      transposed: tf.tensor2d(
        transposed(inputs, width).map((value) => value / count),
        [width, count],
      ),
      targets: tf.tensor2d(targets, [count, classes]),
    });
  }
  return batches;
}
