import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadKernels, type Kernels } from "@sedna-js/wasm-kernels";
import type { Figure } from "../result.ts";
import { repeatable, unitRows } from "./samples.ts";

const CALLS = 10_000;

/** Returns the calls of a steady state: those of a camera, a gallery, and an aggregator. */
function steadyCalls(kernels: Kernels): Readonly<Record<string, () => unknown>> {
  const next = repeatable(1);
  const scores = Float32Array.from({ length: 20 * 64 }, next);
  const offsets = Uint32Array.from({ length: 65 }, (_, i) => 20 * i);
  const probabilities = Float32Array.from({ length: 64 * 10 }, () => next() / 5);
  const boxes = Float32Array.from({ length: 4 * 100 }, (_, i) =>
    i % 4 < 2 ? next() * 100 : 100 + next() * 100,
  );
  const convert = kernels.imageToTensor({ width: 32, height: 32 });
  const picture = { data: new Uint8ClampedArray(4 * 64 * 48), width: 64, height: 48 };
  const galleries = (["f32", "int8", "binary"] as const).map((precision) => {
    const gallery = kernels.gallery({ dimensions: 64, precision });
    gallery.set(
      Array.from({ length: 100 }, (_, i) => i),
      unitRows({ count: 100, dimensions: 64, seed: 2 }),
    );
    return gallery;
  });
  const queries = unitRows({ count: 5, dimensions: 64, seed: 3 });
  const row = unitRows({ count: 1, dimensions: 64, seed: 4 });
  const sum = kernels.weightedMean({ length: 1003 });
  const update = { encoding: "f32", values: Float32Array.from({ length: 1003 }, next) } as const;
  const bucket = kernels.updateBucket({ length: 1003, capacity: 5 });
  const gate = kernels.frameDifference({ width: 64, height: 48 });
  const trainer = kernels.headTrainer({
    head: { kind: "softmax", features: 64, classes: 2 },
    samples: unitRows({ count: 8, dimensions: 64, seed: 5 }),
    labels: Uint32Array.of(0, 1, 0, 1, 0, 1, 0, 1),
    optimizer: { kind: "sgd", learningRate: 1e-6 },
  });
  return {
    ibt: () => kernels.ibt({ scores, offsets, thresholdBox: 0.5, thresholdImg: 0.5 }),
    crossEntropy: () => kernels.crossEntropy({ probabilities, classes: 10, threshold: 0.5 }),
    nms: () => kernels.nms({ boxes, scores: scores.subarray(0, 100), iouThreshold: 0.5 }),
    imageToTensor: () => convert.run(picture),
    frameDifference: () => gate.compare(picture),
    "boxIou and assign": () =>
      kernels.assign({
        cost: kernels.boxIou({ boxes: boxes.subarray(0, 80), others: boxes.subarray(80, 160) }),
        rows: 20,
        columns: 20,
        maxCost: 0.9,
      }),
    "headTrainer.epoch": () => trainer.epoch(),
    "gallery.match": () => galleries.map((gallery) => gallery.match({ queries, k: 5 })),
    "gallery.set and delete": () =>
      galleries.map((gallery) => (gallery.set(["one"], row), gallery.delete("one"))),
    weightedMean: () => (sum.reset(), sum.add(update, { weight: 1 }), sum.result()),
    updateBucket: () => {
      bucket.reset();
      for (let i = 0; i < 5; i++) bucket.add(update, { weight: 1 });
      return [bucket.mean(), bucket.median()];
    },
  };
}

/** Loads the kernels and tracks the memory of their modules, in bytes. */
async function watchedKernels(): Promise<{ readonly kernels: Kernels; memoryBytes(): number }> {
  const memories: WebAssembly.Memory[] = [];
  const { instantiate } = WebAssembly;
  // The default imports object is for Node's own modules, which may be instantiated meanwhile.
  WebAssembly.instantiate = (async (bytes: BufferSource, imports: WebAssembly.Imports = {}) => {
    const made = await instantiate(bytes, imports);
    if (made.instance?.exports["memory"] !== undefined)
      memories.push(made.instance.exports["memory"] as WebAssembly.Memory);
    return made;
  }) as typeof instantiate;
  try {
    return {
      kernels: await loadKernels({ backend: "wasm" }),
      memoryBytes: () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0),
    };
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

/**
 * Returns the growth of the heap over `CALLS` calls after garbage collection, in bytes. The minimum of
 * several tries is used, because the engine's own tables grow occasionally.
 */
function heapGrowth(call: () => unknown, collect: () => void): number {
  const tries = Array.from({ length: 10 }, () => {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) call();
    collect();
    return process.memoryUsage().heapUsed - before;
  });
  return Math.max(0, Math.min(...tries));
}

/**
 * Measures the growth of the JavaScript heap and of kernel memory over ten thousand calls, after as many
 * calls of warm-up.
 */
export async function benchBoundary(): Promise<Figure[]> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { kernels, memoryBytes } = await watchedKernels();
  const figures = Object.entries(steadyCalls(kernels)).flatMap(([name, call]): Figure[] => {
    for (let i = 0; i < CALLS; i++) call();
    const before = memoryBytes();
    const heap = heapGrowth(call, collect);
    return [
      { name: "boundary", metric: `${name}: growth of the heap in 1e4 calls`, value: heap, unit: "bytes" },
      {
        name: "boundary",
        metric: `${name}: growth of kernel memory in 1e5 calls`,
        value: memoryBytes() - before,
        unit: "bytes",
      },
    ];
  });
  kernels.dispose();
  return figures;
}
