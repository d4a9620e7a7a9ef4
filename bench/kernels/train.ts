import { loadTrainingKernels } from "@sedna-js/wasm-kernels";
import { isMissing } from "../peers/peer.ts";
import { softmaxTrainingLoop } from "../peers/plain-training.ts";
import { tfjsFitTraining } from "../peers/tfjs-layers.ts";
import { tfjsGuideTraining, tfjsSoftmaxTraining } from "../peers/tfjs-training.ts";
import type { Training } from "../peers/training.ts";
import { missing, type Figure } from "../result.ts";
import { interleave, ratio, typical, type Contestant } from "../rounds.ts";
import { repeatable } from "./samples.ts";

const [SAMPLES, FEATURES, CLASSES] = [600, 1280, 5];
const NAME = "train";

/** Creates features of five classes that overlap slightly. */
function samples(): { readonly samples: Float32Array; readonly labels: Uint32Array } {
  const next = repeatable(1);
  const labels = Uint32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
  return {
    labels,
    samples: Float32Array.from(
      { length: SAMPLES * FEATURES },
      (_, i) => next() - 0.5 + (Math.floor(i / FEATURES) % CLASSES === i % CLASSES ? 0.05 : 0),
    ),
  };
}

/**
 * Measures training a softmax head for ten epochs, against TensorFlow.js and a JavaScript loop with the same
 * steps.
 */
export async function benchTrain(): Promise<Figure[]> {
  const data = samples();
  const training: Training = {
    ...data,
    features: FEATURES,
    classes: CLASSES,
    epochs: 10,
    batchSize: 32,
    optimizer: { kind: "sgd", learningRate: 0.01 },
  };
  const kernels = await loadTrainingKernels({ backend: "wasm" });
  const ours = () => {
    using trainer = kernels.headTrainer({
      head: { kind: "softmax", features: FEATURES, classes: CLASSES },
      ...data,
      batchSize: 32,
      optimizer: { kind: "sgd", learningRate: 0.01 },
    });
    for (let epoch = 0; epoch < training.epochs; epoch++) trainer.epoch();
    return trainer.weights();
  };
  const tfjs = await tfjsFitTraining(training);
  const core = await tfjsGuideTraining(training);
  const tuned = await tfjsSoftmaxTraining(training);
  const loop = softmaxTrainingLoop(training);
  const contestants: Record<string, Contestant> = { ours, loop: () => loop.run() };
  if (!isMissing(tfjs)) contestants["tfjs"] = () => tfjs.run();
  if (!isMissing(core)) contestants["core"] = () => core.run();
  if (!isMissing(tuned)) contestants["tuned"] = () => tuned.run();
  const rounds = await interleave(contestants, { rounds: 9, runs: 1, warmUp: 3 });
  kernels.dispose();
  const metric = "softmax head, 600 x 1280, 5 classes, 10 epochs";
  const line = (name: string, a: string): Figure => ({
    name: NAME,
    metric: `${metric}: ${name}`,
    value: typical(rounds, a),
    unit: "ms",
    peer: "ours",
    ratio: ratio(rounds, { a, b: "ours" }),
  });
  const figures: Figure[] = [
    {
      name: NAME,
      metric: `${metric}: ours, from JavaScript arrays to the weights`,
      value: typical(rounds, "ours"),
      unit: "ms",
    },
    line(`${loop.name} (${loop.layout})`, "loop"),
    isMissing(tfjs)
      ? missing({ name: NAME, metric: `${metric}: tfjs`, reason: tfjs.reason })
      : line(`${tfjs.name} ${tfjs.version} (${tfjs.layout})`, "tfjs"),
    isMissing(core)
      ? missing({ name: NAME, metric: `${metric}: core of tfjs`, reason: core.reason })
      : line(`core of ${core.name} ${core.version} (${core.layout})`, "core"),
    isMissing(tuned)
      ? missing({ name: NAME, metric: `${metric}: tuned tfjs`, reason: tuned.reason })
      : line(`tuned ${tuned.name} ${tuned.version} (${tuned.layout})`, "tuned"),
  ];
  for (const peer of [loop, tfjs, core, tuned]) if (!isMissing(peer)) peer.dispose();
  return figures;
}
