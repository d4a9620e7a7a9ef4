import { loadTrainingKernels, type Head, type TrainingKernels } from "@sedna-js/wasm-kernels";

/** Kernels to use. "auto" selects WebAssembly if the engine accepts it. */
export type TrainingBackend = "auto" | "wasm" | "reference";

/** The forward pass of a head. */
export interface HeadForward {
  readonly backend: TrainingKernels["backend"];
  /** Weights of an untrained head with this seed. */
  readonly firstWeights: Float32Array;
  /** Returns class probabilities `[n, classes]` for features `[n, width]` with the given weights. */
  predict(features: Float32Array, weights: Float32Array): Float32Array;
  dispose(): void;
}

/** Maximum number of floats per kernel call, because the kernels copy them into their memory. */
const MAX_FLOATS = 2 ** 20;

/** Options of {@link openHeadForward}. */
interface OpenHeadForwardOptions {
  readonly head: Head;
  readonly seed: number;
  readonly backend: TrainingBackend;
}

/** Opens the forward pass of a head with its own kernels. */
export async function openHeadForward({ head, seed, backend }: OpenHeadForwardOptions): Promise<HeadForward> {
  const kernels = await loadTrainingKernels({ backend });
  try {
    // The kernels predict through a trainer. This trainer never trains, so one sample of zeros is enough.
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
