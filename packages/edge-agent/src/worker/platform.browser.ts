import { SednaError } from "@sedna-js/core";

export function workerEndpoint(worker: unknown): unknown {
  return worker;
}

export function ownerEndpoint(): unknown {
  return globalThis;
}

export function defaultModelWorker(): never {
  throw new SednaError(
    'start a worker for a model: expected a createWorker option; pass createWorker: () => new Worker(new URL("./edge.worker.ts", import.meta.url), { type: "module" }), and in edge.worker.ts: import { exposeModelHost } from "@sedna-js/edge-agent"; exposeModelHost();',
    { code: "unsupported-platform" },
  );
}

/**
 * Returns the Web Locks API, which releases the locks of Workers and pages that end. Insecure pages have
 * none.
 */
const locks = (): LockManager | undefined => ("locks" in navigator ? navigator.locks : undefined);

export async function holdAliveLock(name: string): Promise<void> {
  const held = locks();
  if (!held) return;
  await new Promise<void>((resolve, reject) => {
    held
      .request(name, () => {
        resolve();
        return new Promise(() => {});
      })
      .catch(reject);
  });
}

export async function aliveLockReleased(
  name: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const held = locks();
  if (!held) return new Promise(() => {});
  await held.request(name, { signal }, async () => {});
}

export function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void {
  const stop = new AbortController();
  const onError = (event: ErrorEvent): void => {
    // The listener reports the error with its own class, so the page need not report it as uncaught too.
    event.preventDefault();
    listener(new Error(event.message || "the worker could not be loaded"));
  };
  (worker as Worker).addEventListener("error", onError, { signal: stop.signal });
  return () => stop.abort();
}

export async function terminateWorker(worker: unknown): Promise<void> {
  (worker as Worker).terminate();
}
