import { exposeModelHost } from "@sedna-js/edge-agent";
import type { WorkerFault } from "./agent-workers.ts";

// A Worker as any page would bring it, but for the ways to break it. They are looked for first, and what is
// one is not shown to the host.
self.addEventListener("message", (event: MessageEvent<unknown>) => {
  switch (event.data as WorkerFault) {
    case "lose-gpu":
      event.stopImmediatePropagation();
      void loseGpu();
      break;
    case "crash":
      throw new Error("the visitor killed this Worker");
    case "hang":
      for (;;);
  }
});
exposeModelHost();

/** Destroys the device that ONNX Runtime computes on, as a driver's reset would. */
async function loseGpu(): Promise<void> {
  const { env } = await import("onnxruntime-web/webgpu");
  (await env.webgpu.device).destroy();
}
