import { messageOf } from "@sedna-js/core/errors";
import { onnxEstimator, tensors, type Tensors } from "@sedna-js/edge-agent";

/** A model to run once, and its inputs. */
export interface GoldenRequest {
  readonly model: Uint8Array;
  readonly inputs: Tensors;
}

/** The outputs of the model, or its error. */
export type GoldenReply = { readonly outputs: Tensors } | { readonly error: string };

// The publisher runs each model once before publication, to record the expected outputs.
self.addEventListener("message", ({ data }: MessageEvent<GoldenRequest>) => {
  answer(data).then(
    (outputs) => self.postMessage({ outputs } satisfies GoldenReply),
    (error: unknown) =>
      self.postMessage({
        error: messageOf(error),
      } satisfies GoldenReply),
  );
});

async function answer({ model, inputs }: GoldenRequest): Promise<Tensors> {
  const estimator = onnxEstimator({ model, task: tensors(), executionProviders: ["wasm"] });
  try {
    return await estimator.predict(inputs);
  } finally {
    await estimator.dispose();
  }
}
