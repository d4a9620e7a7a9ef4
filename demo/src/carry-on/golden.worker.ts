import { messageOf } from "@sedna-js/core/errors";
import { onnxEstimator, tensors, type Tensors } from "@sedna-js/edge-agent";

/** A model to run once, and on what. */
export interface GoldenQuestion {
  readonly model: Uint8Array;
  readonly inputs: Tensors;
}

/** What it gave. */
export type GoldenAnswer = { readonly outputs: Tensors } | { readonly error: string };

// The publisher runs a model once before it publishes it, to say what it should answer.
self.addEventListener("message", ({ data }: MessageEvent<GoldenQuestion>) => {
  answer(data).then(
    (outputs) => self.postMessage({ outputs } satisfies GoldenAnswer),
    (error: unknown) =>
      self.postMessage({
        error: messageOf(error),
      } satisfies GoldenAnswer),
  );
});

async function answer({ model, inputs }: GoldenQuestion): Promise<Tensors> {
  const estimator = onnxEstimator({ model, task: tensors(), executionProviders: ["wasm"] });
  try {
    return await estimator.predict(inputs);
  } finally {
    await estimator.dispose();
  }
}
