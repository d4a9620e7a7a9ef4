import { headLayers, parameterCount, type Head } from "../head.ts";
import type { HeadStore } from "../head-trainer.ts";
import type { HeadTraining } from "../head-training.ts";
import { readGroups, groupPlan, GROUP_WORDS, writeGroups } from "./head-turns.ts";
import type { TrainingMemory } from "./training-exports.ts";
import { rowWindows } from "../../module/windows.ts";

/** `HeadFields` in `rust/src/abi/head.rs`: sixteen words, then four floats. */
const FIELD_WORDS = 16;
const FIELD_BYTES = 4 * (FIELD_WORDS + 4);
/**
 * Returns the number of floats in a padded row: the values, one for the bias, and zeros up to a multiple of
 * four.
 */
const padded = (values: number) => 4 * (Math.floor(values / 4) + 1);
const align = (bytes: number) => Math.ceil(bytes / 16) * 16;

/**
 * Creates the storage of one trainer as a single block of kernel memory: the samples and everything that
 * belongs to the parameters.
 */
export function wasmHeadStore(memory: TrainingMemory, training: HeadTraining): HeadStore {
  const { head, optimizer, batchSize, proximal } = training;
  const labels = training.labels.slice();
  const classWeights = training.classWeights.slice();
  const rows = weightRows(head);
  const hidden = head.kind === "mlp" ? head.hidden : 0;
  const parameters = 4 * rows.reduce((sum, { inputs }) => sum + padded(inputs), 0);
  const plan = groupPlan(labels.length, batchSize);
  const sampleFloats = padded(head.features);
  const bytes = {
    fields: FIELD_BYTES,
    weights: parameters,
    gradient: parameters,
    first: parameters,
    second: optimizer.kind === "adam" ? parameters : 0,
    stiffness: parameters,
    pull: parameters,
    scratch: 16 * (head.classes + padded(hidden)),
    samples: 4 * labels.length * sampleFloats,
    turns: 4 * GROUP_WORDS * plan.turns,
    steps: 8 * plan.batches,
  };
  type Piece = keyof typeof bytes;
  const block = memory.allocate(Object.values(bytes).reduce((sum, size) => sum + align(size), 0));
  let next = block;
  const at = Object.fromEntries(
    Object.entries(bytes).map(([piece, size]) => {
      const address = next;
      next += align(size);
      return [piece, size === 0 ? 0 : address];
    }),
  ) as Record<Piece, number>;

  memory
    .words(at.fields, FIELD_WORDS)
    .set([
      head.features,
      hidden,
      head.classes,
      at.weights,
      at.gradient,
      at.first,
      at.second,
      at.stiffness,
      at.pull,
      at.scratch,
      at.samples,
      labels.length,
      at.turns,
      plan.turns,
      plan.turnsOfBatch,
      at.steps,
    ]);
  memory.floats(at.fields + 4 * FIELD_WORDS, 4).set(decays(training));
  // Scratch of four samples: the hidden units, followed by ones, which are the input of the biases, and
  // zeros.
  memory
    .floats(at.scratch, bytes.scratch / 4)
    .fill(0)
    .fill(1, 4 * (head.classes + hidden), 4 * (head.classes + hidden + 1));
  writeSamples(memory.floats(at.samples, labels.length * sampleFloats), {
    samples: training.samples,
    features: head.features,
  });

  const write = (piece: Piece, values: Float32Array) => {
    const to = memory.floats(at[piece], parameters / 4);
    // Also clear the padding, which is not zero if training diverged.
    to.fill(0);
    for (const { start, inputs, weights, bias } of rows) {
      to.set(values.subarray(weights, weights + inputs), start);
      to[start + inputs] = values[bias]!;
    }
  };
  // The gradient of 0.5 * l2 * |w|^2 + 0.5 * mu * |w - w0|^2 is (l2 + mu) * w - mu * w0. Round mu to f32, so
  // that the gradient is 0 at w0 if l2 is 0.
  const mu = Math.fround(proximal);
  let anchor = new Float32Array(parameterCount(head));
  const setAnchor = (values: Float32Array) => {
    anchor = values.slice();
    write(
      "pull",
      anchor.map((value) => mu * value),
    );
  };
  const stiffness = anchor.map(() => training.l2 + mu);
  for (const { bias } of rows) stiffness[bias] = mu;
  write("stiffness", stiffness);
  setAnchor(anchor);

  return {
    read(vector) {
      if (vector === "anchor") return anchor.slice();
      const from = memory.floats(at[vector], parameters / 4);
      const flat = new Float32Array(parameterCount(head));
      for (const { start, inputs, weights, bias } of rows) {
        flat.set(from.subarray(start, start + inputs), weights);
        flat[bias] = from[start + inputs]!;
      }
      return flat;
    },
    write: (vector, values) => (vector === "anchor" ? setAnchor(values) : write(vector, values)),
    epoch({ order, steps }) {
      // Create the views for each epoch: a view is detached when memory grows.
      const turns = {
        words: memory.words(at.turns, GROUP_WORDS * plan.turns),
        floats: memory.floats(at.turns, GROUP_WORDS * plan.turns),
      };
      const epoch = { order, labels, classWeights, batchSize };
      writeGroups(turns, epoch);
      memory
        .floats(at.steps, 2 * plan.batches)
        .set(stepTable(training, { first: steps + 1, count: plan.batches }));
      memory.exports.head_epoch(at.fields);
      return readGroups(turns, epoch);
    },
    predict(samples) {
      const count = samples.length / head.features;
      const out = new Float32Array(count * head.classes);
      for (const { first, last } of rowWindows({ rows: count, columns: sampleFloats })) {
        const groups = Math.ceil((last - first) / 4);
        const [inputs, probabilities] = memory.scratch(
          16 * groups * sampleFloats,
          16 * groups * head.classes,
        ) as [number, number];
        writeSamples(memory.floats(inputs, 4 * groups * sampleFloats), {
          samples: samples.subarray(first * head.features, last * head.features),
          features: head.features,
        });
        memory.exports.head_predict(at.fields, inputs, groups, probabilities);
        const lanes = memory.floats(probabilities, 4 * groups * head.classes);
        for (let row = first; row < last; row++) {
          const from = 4 * head.classes * ((row - first) >> 2) + ((row - first) & 3);
          for (let c = 0; c < head.classes; c++) out[row * head.classes + c] = lanes[from + 4 * c]!;
        }
      }
      return out;
    },
    dispose: () => memory.free(block),
  };
}

/** A row of a layer's weights: its start in kernel memory, and its position in the flat parameters. */
interface WeightRow {
  readonly start: number;
  readonly inputs: number;
  readonly weights: number;
  readonly bias: number;
}

function weightRows(head: Head): WeightRow[] {
  let start = 0;
  return headLayers(head).flatMap(({ inputs, outputs, weights, biases }) =>
    Array.from({ length: outputs }, (_, output) => {
      const row = { start, inputs, weights: weights + output * inputs, bias: biases + output };
      start += padded(inputs);
      return row;
    }),
  );
}

/** Writes samples as rows that end in 1, the input of the bias, and zeros. */
function writeSamples(
  to: Float32Array,
  { samples, features }: { readonly samples: Float32Array; readonly features: number },
): void {
  const width = padded(features);
  to.fill(0);
  for (let from = 0, row = 0; from < samples.length; from += features, row += width) {
    to.set(samples.subarray(from, from + features), row);
    to[row + features] = 1;
  }
}

/** Returns `keep`, `take`, `keep_squares`, and `take_squares` of `Rule` in `rust/src/head/optimizer.rs`. */
function decays({ optimizer }: HeadTraining): number[] {
  return optimizer.kind === "sgd"
    ? [optimizer.momentum, 1, 0, 0]
    : [optimizer.beta1, 1 - optimizer.beta1, optimizer.beta2, 1 - optimizer.beta2];
}

/**
 * Returns the learning rate and epsilon of each step. Adam's moments are not corrected one by one: with m' =
 * m / (1 - beta1^t) and v' = v / (1 - beta2^t), m' / (sqrt(v') + epsilon) = c * m / (sqrt(v) + r * epsilon),
 * where r = sqrt(1 - beta2^t) and c = r / (1 - beta1^t).
 */
function stepTable(
  { optimizer }: HeadTraining,
  { first, count }: { readonly first: number; readonly count: number },
): Float32Array {
  const table = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    if (optimizer.kind === "sgd") {
      table[2 * i] = optimizer.learningRate;
    } else {
      const root = Math.sqrt(1 - optimizer.beta2 ** (first + i));
      table[2 * i] = (optimizer.learningRate * root) / (1 - optimizer.beta1 ** (first + i));
      table[2 * i + 1] = optimizer.epsilon * root;
    }
  }
  return table;
}
