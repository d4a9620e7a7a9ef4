// Clouds with a real small model, and requests to them.
import { tensors, type Detections, type Estimator, type Frame } from "@sedna-js/core";
import { bigModelService } from "../../packages/cloud/src/big-model/big-model-service.ts";
import { createCloud, type Cloud, type CloudOptions } from "../../packages/cloud/src/http/create-cloud.ts";
import { onnxBytes } from "../../packages/cloud/src/big-model/onnx.node.ts";
import { tinyOnnx } from "../fakes/tiny-onnx.ts";

/** Starts a cloud with a real model, y = x + x, FP32 [n,4]. */
export async function doubling(options: Partial<CloudOptions> = {}): Promise<Cloud> {
  const estimator = onnxBytes({ model: tinyOnnx(), task: tensors() });
  const cloud = createCloud({
    services: [bigModelService({ estimator, callbacks: { first: (result) => result.slice(0, 1) } })],
    ...options,
  });
  await cloud.start();
  return cloud;
}
/** Returns a detector that calls the given function. */
export const detector = (predict: (frame: Frame) => Promise<Detections>): Estimator<Frame, Detections> => ({
  load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
  predict,
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
});
/** Returns a request to a path. */
export const at = (path: string, init?: RequestInit): Request => new Request(`http://cloud${path}`, init);
/** Returns a request with a JSON body. */
export const post = (path: string, body: unknown, headers: Record<string, string> = {}): Request =>
  at(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
