// A model host in Node whose fallback chain has a backend above `cpu`: its `wasm` runs on the CPU too.
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
