import { exposeModelHost } from "@sedna-js/edge-agent";
import type { WorkerFault } from "./agent-workers.ts";

// A Worker as in any page, plus ways to break it. Their messages are handled first and are not passed on to
// the host.
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

/** Destroys the device that ONNX Runtime uses, as a driver reset would. */
async function loseGpu(): Promise<void> {
  const { env } = await import("onnxruntime-web/webgpu");
  (await env.webgpu.device).destroy();
}
