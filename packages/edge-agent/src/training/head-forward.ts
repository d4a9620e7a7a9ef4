import { loadTrainingKernels, type Head, type TrainingKernels } from "@sedna-js/wasm-kernels";

/** Which kernels to take; "auto" is WebAssembly where the engine accepts it. */
export type TrainingBackend = "auto" | "wasm" | "reference";

/** A head that answers. */
export interface HeadForward {
  readonly backend: TrainingKernels["backend"];
  /** What an untrained head of this seed has. */
  readonly firstWeights: Float32Array;
  /** Class probabilities `[n, classes]` of features `[n, width]` by these weights. */
  predict(features: Float32Array, weights: Float32Array): Float32Array;
  dispose(): void;
}

/** Numbers that go through the kernels in one call, which copy them into their memory. */
const MAX_FLOATS = 2 ** 20;

/** Opens a head's forward pass, with kernels of its own. */
export async function openHeadForward({
  head,
  seed,
  backend,
}: {
  readonly head: Head;
  readonly seed: number;
  readonly backend: TrainingBackend;
}): Promise<HeadForward> {
  const kernels = await loadTrainingKernels({ backend });
  try {
    // Kernels answer through a trainer. This one never trains, so one sample of zeros is enough for it.
    const trainer = kernels.headTrainer({
      head,
      seed,
      samples: new Float32Array(head.features),
      labels: new Uint32Array(1),
      optimizer: { kind: "sgd", learningRate: 1 },
    });
    const firstWeights = trainer.weights();
    const rows = Math.max(1, Math.floor(MAX_FLOATS / Math.max(head.features, head.classes)));
    let held = firstWeights;
    return {
      backend: kernels.backend,
      firstWeights,
      predict(features, weights) {
        if (held !== weights) trainer.setWeights(weights);
        held = weights;
        const count = features.length / head.features;
        if (count <= rows) return trainer.predict(features);
        const all = new Float32Array(count * head.classes);
        for (let from = 0; from < count; from += rows)
          all.set(
            trainer.predict(features.subarray(from * head.features, (from + rows) * head.features)),
            from * head.classes,
          );
        return all;
      },
      dispose() {
        trainer.dispose();
        kernels.dispose();
      },
    };
  } catch (error) {
    kernels.dispose();
    throw error;
  }
}
