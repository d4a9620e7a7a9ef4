// Starts the model host in a Worker: the source in a checkout, the built file where only that is.
import { existsSync } from "node:fs";

const source = new URL("../src/worker/model-host.worker.node.ts", import.meta.url);
if (!existsSync(source)) {
  await import("../dist/worker/model-host.worker.node.js");
} else {
  // The hooks of the main thread do not reach Workers.
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
}
