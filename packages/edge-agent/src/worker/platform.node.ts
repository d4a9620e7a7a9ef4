import { SednaError } from "@sedna-js/core";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { existsSync } from "node:fs";
import { parentPort, Worker } from "node:worker_threads";

export function workerEndpoint(worker: unknown): unknown {
  return nodeEndpoint(worker as Worker);
}

export function ownerEndpoint(): unknown {
  if (!parentPort)
    throw new SednaError(
      "expose to the owner of a Worker: expected to run inside a Worker; this is the main thread",
      { code: "unsupported-platform" },
    );
  return nodeEndpoint(parentPort);
}

export function defaultModelWorker(): Worker {
  // The same path from src/platform and from dist/platform.
  const packageUrl = new URL("../../", import.meta.url);
  const isCheckout = existsSync(new URL("src/worker/model-host.worker.node.ts", packageUrl));
  return new Worker(
    new URL("bin/model-host.worker.js", packageUrl),
    isCheckout ? { execArgv: ["--conditions=sedna-source"] } : {},
  );
}

export async function holdAliveLock(): Promise<void> {}

export function aliveLockReleased(): Promise<void> {
  return new Promise(() => {});
}

export function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void {
  const onError = (error: Error): void => listener(error);
  const onExit = (code: number): void => listener(new Error(`the worker ended with code ${code}`));
  (worker as Worker).on("error", onError).on("exit", onExit);
  // Keep an error listener: without one, an error of a Worker that is being terminated becomes an uncaught
  // error of this process.
  return () =>
    void (worker as Worker)
      .on("error", () => {})
      .off("error", onError)
      .off("exit", onExit);
}

export async function terminateWorker(worker: unknown): Promise<void> {
  await (worker as Worker).terminate();
}
