import { loadPerceptionKernels, referenceKernels } from "@sedna-js/wasm-kernels";
import { createPython, type Python } from "../peers/python.ts";
import { missing, type Figure } from "../result.ts";
import { interleave, ratio, typical, type Contestant } from "../rounds.ts";
import { repeatable } from "./samples.ts";

const SAMPLES = 100_000;
const BOXES = 20;
const CLASSES = 80;
const NAME = "hem";

/** IBT in plain JavaScript over the same typed arrays. */
function ibtLoop(scores: Float32Array, offsets: Uint32Array, out: Uint8Array): Uint8Array {
  for (let i = 0; i < out.length; i++) {
    const end = offsets[i + 1]!;
    let low = 0;
    let valid = end > offsets[i]!;
    for (let k = offsets[i]!; k < end; k++) {
      const score = scores[k]!;
      if (!(score >= 0 && score <= 1)) valid = false;
      if (score <= 0.5) low++;
    }
    out[i] = valid && low / (end - offsets[i]!) >= 1 - 0.5 ? 1 : 0;
  }
  return out;
}

/** CrossEntropy in plain JavaScript over the same typed arrays. */
function entropyLoop(probabilities: Float32Array, out: Uint8Array): Uint8Array {
  const scale = 1 / Math.log(CLASSES);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    let valid = true;
    for (let k = i * CLASSES; k < (i + 1) * CLASSES; k++) {
      const p = probabilities[k]!;
      if (!(p >= 0 && p <= 1)) valid = false;
      if (p > 0) sum += p * Math.log(p);
    }
    out[i] = valid && 1 + sum * scale < 0.5 ? 1 : 0;
  }
  return out;
}

/** Measures one miner against its peers. `python` holds the array under the name "scores". */
async function race(
  metric: string,
  {
    ours,
    copied,
    js,
    python,
    prefix,
    width,
  }: {
    ours: Contestant;
    copied: Contestant;
    js: Contestant;
    python: Python | undefined;
    prefix: string;
    width: number;
  },
): Promise<Figure[]> {
  const numpy = (form: string): Contestant => ({
    timed: () => python!.run(`${prefix}/${form}`, { samples: SAMPLES, width, scores: "scores" }),
  });
  const contestants: Record<string, Contestant> = {
    ours,
    copied,
    js,
    ...(python ? { numpy: numpy("numpy"), tuned: numpy("tuned") } : {}),
  };
  const rounds = await interleave(contestants, { rounds: 15, runs: 3, warmUp: 6 });
  const line = (name: string, { a, b = "ours" }: { a: string; b?: string }): Figure => ({
    name: NAME,
    metric: `${metric}: ${name}`,
    value: typical(rounds, a),
    unit: "ms",
    peer: "ours, resident",
    ratio: ratio(rounds, { a, b }),
  });
  return [
    { name: NAME, metric: `${metric}: ours, resident`, value: typical(rounds, "ours"), unit: "ms" },
    line("ours, copied in", { a: "copied" }),
    line("JavaScript loop", { a: "js" }),
    ...(python
      ? [
          line(`numpy ${python.numpy}, idiomatic`, { a: "numpy" }),
          line("tuned numpy, in blocks without allocation, sums by BLAS", { a: "tuned" }),
        ]
      : []),
  ];
}

/** Returns the largest error of the confidences against f64, over sharp and flat rows that sum to 1. */
export async function entropyError(): Promise<number> {
  const kernels = await loadPerceptionKernels({ backend: "wasm" });
  const slow = referenceKernels();
  const next = repeatable(7);
  let worst = 0;
  for (const classes of [2, 3, 5, 10, 80, 1000]) {
    for (const sharpness of [1, 4, 30]) {
      const probabilities = Float32Array.from({ length: 500 * classes }, () => next() ** sharpness);
      for (let row = 0; row < probabilities.length; row += classes) {
        const values = probabilities.subarray(row, row + classes);
        const sum = values.reduce((a, b) => a + b, 0);
        values.forEach((value, i) => (values[i] = value / sum));
      }
      const confidences = (of: { crossEntropy: typeof kernels.crossEntropy }) => {
        const result = new Float32Array(500);
        of.crossEntropy({ probabilities, classes, threshold: 0.5, confidences: result });
        return result;
      };
      const exact = confidences(slow);
      confidences(kernels).forEach((value, i) => (worst = Math.max(worst, Math.abs(value - exact[i]!))));
    }
  }
  kernels.dispose();
  return worst;
}

/** Measures mining batches of samples, from kernel memory and from the caller's arrays. */
export async function benchHem(): Promise<Figure[]> {
  const kernels = await loadPerceptionKernels({ backend: "wasm" });
  const started = await createPython();
  const python = started.available ? started : undefined;
  const next = repeatable(1);
  const scores = Float32Array.from({ length: SAMPLES * BOXES }, next);
  const offsets = Uint32Array.from({ length: SAMPLES + 1 }, (_, i) => i * BOXES);
  const probabilities = Float32Array.from({ length: SAMPLES * CLASSES }, () => (2 * next()) / CLASSES);
  const out = new Uint8Array(SAMPLES);
  const room = {
    scores: kernels.resident(scores.length),
    probabilities: kernels.resident(probabilities.length),
  };
  room.scores.values().set(scores);
  room.probabilities.values().set(probabilities);
  const thresholds = { thresholdBox: 0.5, thresholdImg: 0.5, offsets, out };
  const entropy = { classes: CLASSES, threshold: 0.5, out };
  try {
    await python?.put("scores", { values: scores, shape: [SAMPLES, BOXES] });
    const ibt = await race("IBT, 1e5 images of 20 boxes", {
      ours: () => kernels.ibt({ ...thresholds, scores: room.scores.values() }),
      copied: () => kernels.ibt({ ...thresholds, scores }),
      js: () => ibtLoop(scores, offsets, out),
      python,
      prefix: "ibt",
      width: BOXES,
    });
    await python?.put("scores", { values: probabilities, shape: [SAMPLES, CLASSES] });
    const ce = await race("CrossEntropy, 1e5 samples of 80 classes", {
      ours: () => kernels.crossEntropy({ ...entropy, probabilities: room.probabilities.values() }),
      copied: () => kernels.crossEntropy({ ...entropy, probabilities }),
      js: () => entropyLoop(probabilities, out),
      python,
      prefix: "ce",
      width: CLASSES,
    });
    const absent = started.available
      ? []
      : ["IBT, 1e5 images of 20 boxes", "CrossEntropy, 1e5 samples of 80 classes"].map((metric) =>
          missing({ name: NAME, metric: `${metric}: numpy`, reason: started.reason }),
        );
    return [
      ...ibt,
      ...ce,
      { name: NAME, metric: "CrossEntropy: largest absolute error", value: await entropyError(), unit: "" },
      ...absent,
    ];
  } finally {
    kernels.dispose();
    await python?.dispose();
  }
}
