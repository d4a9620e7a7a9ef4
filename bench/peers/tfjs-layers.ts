import { isMissing, loadPeer, peerOrReason, type MissingPeer, type Peer } from "./peer.ts";
import { loadTfjs, type Tensor2D } from "./tfjs.ts";
import type { Training, TrainingPeer } from "./training.ts";

/** The part of tfjs-layers that the contestant uses. */
interface TfjsLayers {
  sequential(): Model;
  readonly layers: { dense(options: Readonly<Record<string, unknown>>): unknown };
}

interface Model {
  add(layer: unknown): void;
  compile(options: Readonly<Record<string, unknown>>): void;
  fit(samples: Tensor2D, targets: Tensor2D, options: Readonly<Record<string, unknown>>): Promise<unknown>;
  getWeights(): Tensor2D[];
  dispose(): void;
}

const NAME = "tfjs-backend-wasm, model.fit";

/**
 * Trains a softmax head as most apps do with TensorFlow.js: a layer and `model.fit`, here without yielding
 * and shuffling.
 */
export async function tfjsFitTraining({
  samples,
  labels,
  features,
  classes,
  epochs,
  batchSize,
  optimizer,
}: Training): Promise<TrainingPeer | MissingPeer> {
  const made: { peer?: TrainingPeer } = {};
  const loaded = await peerOrReason(NAME, async () => {
    const { tf, version } = await loadTfjs();
    const { module: layers } = loadPeer<TfjsLayers>("@tensorflow/tfjs-layers");
    const targets = new Float32Array(labels.length * classes);
    labels.forEach((label, i) => (targets[i * classes + label] = 1));
    const [inputs, wanted] = [
      tf.tensor2d(samples, [labels.length, features]),
      tf.tensor2d(targets, [labels.length, classes]),
    ];
    let reached = new Float32Array((features + 1) * classes);
    made.peer = {
      name: NAME,
      version,
      layout:
        "1 thread, WebAssembly simd128; a dense layer with softmax, tensors created beforehand, yieldEvery never, no shuffling",
      async run() {
        const model = layers.sequential();
        model.add(
          layers.layers.dense({
            units: classes,
            inputShape: [features],
            activation: "softmax",
            kernelInitializer: "zeros",
          }),
        );
        model.compile({
          optimizer:
            optimizer.kind === "sgd"
              ? tf.train.sgd(optimizer.learningRate)
              : tf.train.adam(optimizer.learningRate, 0.9, 0.999, 1e-8),
          loss: "categoricalCrossentropy",
        });
        await model.fit(inputs, wanted, {
          epochs,
          batchSize,
          shuffle: false,
          verbose: 0,
          yieldEvery: "never",
        });
        const [kernel, bias] = model.getWeights().map((tensor) => tensor.dataSync());
        reached = Float32Array.from({ length: reached.length }, (_, i) =>
          i < features * classes
            ? kernel![(i % features) * classes + Math.floor(i / features)]!
            : bias![i - features * classes]!,
        );
        model.dispose();
      },
      weights: () => reached,
      dispose() {
        inputs.dispose();
        wanted.dispose();
      },
    };
    return made.peer as unknown as Peer;
  });
  return isMissing(loaded) ? loaded : made.peer!;
}
