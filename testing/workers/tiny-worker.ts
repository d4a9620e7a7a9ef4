// A Worker for tests: tensors give y = x + x, and frames give the sum of their pixels.
import { SednaError, type Estimator } from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import { exposeEstimator, onnxEstimator, tensors, type Tensors } from "@sedna-js/edge-agent";
import { tinyOnnx } from "../fakes/tiny-onnx.ts";

exposeEstimator((): Estimator<unknown, unknown> => {
  const inner = onnxEstimator({ model: tinyOnnx(), task: tensors() });
  return {
    ...inner,
    async predict(sample, options) {
      if (sample === "crash")
        setTimeout(() => {
          throw new Error("the worker's own bug");
        });
      if (sample === "hang" || sample === "crash")
        return new Promise((_, reject) =>
          options?.signal?.addEventListener("abort", () => reject(new Error("let go"))),
        );
      if (sample === "busy")
        throw new SednaError("come back", { code: "cloud-busy", retryable: true, retryAfterMs: 7 });
      if (!isFrame(sample)) return inner.predict(sample as Tensors, options);
      const pixels = new Uint8ClampedArray(4 * sample.width * sample.height);
      await sample.copyTo(pixels);
      return { sum: pixels.reduce((sum, one) => sum + one, 0), timestamp: sample.timestamp };
    },
  };
});
