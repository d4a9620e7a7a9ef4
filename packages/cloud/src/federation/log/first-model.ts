import { loadTrainingKernels, type Head } from "@sedna-js/wasm-kernels";

/** The parameters that a federation starts from: zeros, and for an MLP those that a head trainer of the seed starts from. */
export async function firstModel({
  head,
  length,
  seed,
}: {
  readonly head: Head | undefined;
  readonly length: number;
  readonly seed: number;
}): Promise<Float32Array> {
  if (head?.kind !== "mlp") return new Float32Array(length);
  const kernels = await loadTrainingKernels();
  try {
    const trainer = kernels.headTrainer({
      head,
      samples: new Float32Array(head.features),
      labels: Uint32Array.of(0),
      seed: seed >>> 0,
    });
    return trainer.weights();
  } finally {
    kernels.dispose();
  }
}
