// A model host in Node for which there is a rung above `cpu`: what it calls wasm is the CPU once more.
import { InferenceSession, registerBackend } from "onnxruntime-node";
import { exposeModelHost } from "../../packages/edge-agent/src/worker/expose-model-host.ts";

registerBackend(
  "wasm",
  {
    async init() {},
    async createInferenceSessionHandler(model: Uint8Array) {
      const session = await InferenceSession.create(model, { executionProviders: ["cpu"] });
      return (session as unknown as { readonly handler: never }).handler;
    },
  } as never,
  1,
);
exposeModelHost();
