import { existsSync } from "node:fs";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parentPort, Worker } from "node:worker_threads";
import {
  importOptional,
  pixelsFrame,
  SednaError,
  type Frame,
  type OrtModule,
  type Pixels,
} from "@sedna-js/core";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { importSharp } from "../frames/decode-image.node.ts";
import { fileQueueStore } from "../queue/stores/file-queue-store.node.ts";
import type { QueueStore } from "../queue/queue-store.ts";
import { fileBytes } from "../storage/file-bytes.node.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import type {
  ExecutionProvider,
  ModelSource,
  QueueStoreOptions,
  SharedFrame,
  ByteStoreOptions,
  ClientSocket,
  Sha256,
} from "./contract.ts";

export { openDeviceKey } from "../federation/device-key.node.ts";
export { platformChecks } from "../telemetry/doctor.node.ts";
export { watchPauses } from "../training/watch-pauses.node.ts";
export { decodeImage } from "../frames/decode-image.node.ts";
export { becomeLeader } from "../leadership/become-leader.node.ts";
export { directory } from "../sources/directory.node.ts";
export { rtsp, videoFile, webcam } from "../sources/ffmpeg.node.ts";
export { sednaModelStore } from "../updates/sedna-model-store.node.ts";

const onlyInBrowsers = (what: string): never => {
  throw new SednaError(
    `${what}: expected a browser; in Node use rtsp(), webcam(), videoFile() or directory()`,
    { code: "unsupported-platform" },
  );
};
export const camera = (): never => onlyInBrowsers("open the camera");
export const videoElement = (): never => onlyInBrowsers("read a video element");
export const videoFrames = (): never => onlyInBrowsers("read the frames of WebCodecs");

export async function frameOfPixels(
  pixels: Pixels,
  { timestamp = 0 }: { readonly timestamp?: number } = {},
): Promise<Frame> {
  return pixelsFrame(pixels, { timestamp, sharp: importSharp });
}

export async function importOnnxRuntime(_providers: readonly ExecutionProvider[]): Promise<OrtModule> {
  const ort = await importOptional("onnxruntime-node", {
    action: "load ONNX Runtime",
    load: () => import("onnxruntime-node"),
  });
  return ort as unknown as OrtModule;
}

export async function defaultProviders(): Promise<readonly ExecutionProvider[]> {
  return ["cpu"];
}

export function sessionOptions({
  threads = 1,
}: {
  readonly threads?: number;
}): Readonly<Record<string, unknown>> {
  return { intraOpNumThreads: threads, interOpNumThreads: 1 };
}

export async function readModel(
  source: ModelSource,
  { signal }: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (/^https?:/.test(String(source))) {
    const response = await fetch(source, { signal: signal ?? null }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw new SednaError(
        `fetch the model ${String(source)}: expected an answer; the network failed: ${String(cause)}`,
        { code: "model-unreadable", retryable: true, cause },
      );
    });
    if (!response.ok)
      throw new SednaError(`fetch the model ${String(source)}: expected status 200; got ${response.status}`, {
        code: "model-unreadable",
        retryable: response.status >= 500,
      });
    return new Uint8Array(await response.arrayBuffer());
  }
  try {
    return await readFile(String(source).startsWith("file:") ? new URL(source) : source, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new SednaError(
      `read the model ${String(source)}: expected a file; got ${cause instanceof Error ? cause.message : String(cause)}`,
      { code: "model-unreadable", cause },
    );
  }
}

export async function shareFrame(frame: Frame): Promise<SharedFrame> {
  const data = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(data);
  return {
    handle: { width: frame.width, height: frame.height, data, timestamp: frame.timestamp },
    transfer: [data.buffer],
    close() {},
  };
}

export function receiveFrame(handle: unknown): Frame {
  const { timestamp, ...pixels } = handle as Pixels & { timestamp: number };
  return pixelsFrame(pixels, { timestamp, sharp: importSharp });
}

export function workerEndpoint(worker: unknown): unknown {
  return nodeEndpoint(worker as Worker);
}

export function ownerEndpoint(): unknown {
  if (!parentPort)
    throw new SednaError(
      "expose to the owner of a Worker: expected to run inside one; this is the main thread",
      { code: "unsupported-platform" },
    );
  return nodeEndpoint(parentPort);
}

export function defaultModelWorker(): Worker {
  // From src/platform and from dist/platform alike.
  const packageUrl = new URL("../../", import.meta.url);
  const isCheckout = existsSync(new URL("src/worker/model-host.worker.node.ts", packageUrl));
  return new Worker(
    new URL("bin/model-host.worker.js", packageUrl),
    isCheckout ? { execArgv: ["--conditions=sedna-source"] } : {},
  );
}

export async function hasShaderF16(): Promise<boolean> {
  return false;
}

export async function holdLife(): Promise<void> {}

export function lifeEnded(): Promise<void> {
  return new Promise(() => {});
}

export function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void {
  const onError = (error: Error): void => listener(error);
  const onExit = (code: number): void => listener(new Error(`the worker ended with code ${code}`));
  (worker as Worker).on("error", onError).on("exit", onExit);
  // Node would take the last words of a Worker that is being ended for an uncaught error of this process.
  return () =>
    void (worker as Worker)
      .on("error", () => {})
      .off("error", onError)
      .off("exit", onExit);
}

export function nextTask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function terminateWorker(worker: unknown): Promise<void> {
  await (worker as Worker).terminate();
}

export function openQueueStore({ name, directory, durability }: QueueStoreOptions): QueueStore {
  if (directory === undefined)
    throw new TypeError(`open the queue ${name}: expected a directory, which Node keeps it in; got none`);
  return fileQueueStore({ directory, ...(durability ? { durability } : {}) });
}

export function sha256(): Sha256 {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

export async function openByteStore({ directory }: ByteStoreOptions): Promise<ByteStore> {
  return fileBytes({ directory });
}

export async function keepStorage(): Promise<boolean> {
  return true;
}

export async function openClientSocket(
  url: string,
  { maxMessageBytes }: { readonly maxMessageBytes: number },
): Promise<ClientSocket> {
  const { WebSocket } = await import("ws");
  return new WebSocket(url, {
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  }) as unknown as ClientSocket;
}
