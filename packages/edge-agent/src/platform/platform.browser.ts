import { sha256 as createSha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { importOptional, SednaError, type Frame, type OrtModule, type Pixels } from "@sedna-js/core";
import { browserFrame, type BrowserFrame, type BrowserPicture } from "../frames/video-frame.browser.ts";
import { cacheBytes } from "../storage/cache-bytes.browser.ts";
import { fallbackBytes } from "../storage/fallback-bytes.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";
import { opfsBytes } from "../storage/opfs-bytes.browser.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import type {
  ExecutionProvider,
  ModelSource,
  SharedFrame,
  ByteStoreOptions,
  ClientSocket,
  Sha256,
} from "./contract.ts";

export { openDeviceKey } from "../federation/device-key.browser.ts";
export { platformChecks } from "../telemetry/doctor.browser.ts";
export { watchPauses } from "../training/watch-pauses.browser.ts";
export { becomeLeader } from "../leadership/become-leader.browser.ts";
export { idbQueueStore as openQueueStore } from "../queue/stores/idb-queue-store.browser.ts";
export { camera } from "../sources/camera.browser.ts";
export { videoElement } from "../sources/video-element.browser.ts";
export { videoFile } from "../sources/video-file.browser.ts";
export { videoFrames } from "../sources/video-frames.browser.ts";

const onlyInNode = (what: string): never => {
  throw new SednaError(`${what}: expected Node; in a browser use camera()`, { code: "unsupported-platform" });
};
export const rtsp = (): never => onlyInNode("read a camera on the network");
export const webcam = (): never => onlyInNode("open the webcam");

export function directory(): never {
  throw new SednaError(
    "read a directory: expected Node; in a browser use camera(), videoElement() or videoFile()",
    { code: "unsupported-platform" },
  );
}

export function sednaModelStore(): never {
  throw new SednaError(
    "open Sedna's hot update config: expected Node; in a browser use a model store with a signed manifest",
    { code: "unsupported-platform" },
  );
}

export async function decodeImage(bytes: Uint8Array): Promise<Frame> {
  try {
    return browserFrame(await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>])));
  } catch (cause) {
    throw new TypeError(
      `decode a picture: expected a format that this browser reads; got ${bytes.length} bytes that are not`,
      { cause },
    );
  }
}

export async function frameOfPixels(
  { width, height, data }: Pixels,
  options: { readonly timestamp?: number } = {},
): Promise<Frame> {
  const image = new ImageData(width, height);
  image.data.set(data);
  return browserFrame(await createImageBitmap(image), options);
}

export async function importOnnxRuntime(providers: readonly ExecutionProvider[]): Promise<OrtModule> {
  // Two entries, so that a page without WebGPU fetches the small runtime only.
  const load = (): Promise<unknown> =>
    providers.includes("webgpu") ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm");
  return (await importOptional("onnxruntime-web", { action: "load ONNX Runtime", load })) as OrtModule;
}

export async function defaultProviders(): Promise<readonly ExecutionProvider[]> {
  const adapter =
    "gpu" in navigator && navigator.gpu ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  // A software adapter computes right, and many times slower than WASM. Older engines say so elsewhere, or not at all.
  const info = adapter as {
    readonly info?: { readonly isFallbackAdapter?: boolean };
    readonly isFallbackAdapter?: boolean;
  } | null;
  const isSoftware = info?.info?.isFallbackAdapter ?? info?.isFallbackAdapter ?? false;
  return adapter && !isSoftware ? ["webgpu", "wasm"] : ["wasm"];
}

export function sessionOptions(): Readonly<Record<string, unknown>> {
  return {};
}

export async function readModel(
  source: ModelSource,
  { signal }: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
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
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/html"))
    throw new SednaError(`fetch the model ${String(source)}: expected an ONNX file; got a page of HTML`, {
      code: "model-unreadable",
    });
  return new Uint8Array(await response.arrayBuffer());
}

export async function shareFrame(frame: Frame): Promise<SharedFrame> {
  const picture = "picture" in frame ? (frame as BrowserFrame).picture : await drawn(frame);
  // A VideoFrame's clone shares its pixels. An ImageBitmap has no such clone: it is copied once.
  const shared = "clone" in picture ? picture.clone() : await createImageBitmap(picture);
  return {
    handle: { picture: shared, timestamp: frame.timestamp },
    transfer: [shared],
    close: () => shared.close(),
  };
}

/** A frame of someone else's making, as pixels that the browser can post. */
async function drawn(frame: Frame): Promise<ImageData> {
  const pixels = new ImageData(frame.width, frame.height);
  await frame.copyTo(pixels.data);
  return pixels;
}

export function receiveFrame(handle: unknown): Frame {
  const { picture, timestamp } = handle as { picture: BrowserPicture; timestamp: number };
  return browserFrame(picture, { timestamp });
}

export function workerEndpoint(worker: unknown): unknown {
  return worker;
}

export function ownerEndpoint(): unknown {
  return globalThis;
}

export function defaultModelWorker(): never {
  throw new SednaError(
    'start a worker for a model: expected the page to bring one; pass createWorker: () => new Worker(new URL("./edge.worker.ts", import.meta.url), { type: "module" }), and in edge.worker.ts: import { exposeModelHost } from "@sedna-js/edge-agent"; exposeModelHost();',
    { code: "unsupported-platform" },
  );
}

export async function hasShaderF16(): Promise<boolean> {
  const adapter =
    "gpu" in navigator && navigator.gpu ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  return (
    (adapter as { readonly features?: ReadonlySet<string> } | null)?.features?.has("shader-f16") ?? false
  );
}

/** Web Locks, which a browser takes from whoever is gone. Insecure pages have none. */
const locks = (): LockManager | undefined => ("locks" in navigator ? navigator.locks : undefined);

export async function holdLife(name: string): Promise<void> {
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

export async function lifeEnded(name: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const held = locks();
  if (!held) return new Promise(() => {});
  await held.request(name, { signal }, async () => {});
}

export function onWorkerFailure(worker: unknown, listener: (error: Error) => void): () => void {
  const stop = new AbortController();
  const onError = (event: ErrorEvent): void => {
    // The listener tells it on, in a class of its own; the page need not report it as uncaught too.
    event.preventDefault();
    listener(new Error(event.message || "the worker could not be loaded"));
  };
  (worker as Worker).addEventListener("error", onError, { signal: stop.signal });
  return () => stop.abort();
}

export function nextTask(): Promise<void> {
  // A timer would wait 4 ms each time, and much longer in a hidden page.
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(0);
  });
}

export async function terminateWorker(worker: unknown): Promise<void> {
  (worker as Worker).terminate();
}

export function sha256(): Sha256 {
  // WebCrypto hashes only what is there as a whole, and a model need not be.
  const hash = createSha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}

export async function openByteStore({ name, onDegraded }: ByteStoreOptions): Promise<ByteStore> {
  const memory = memoryBytes();
  const onDisk = await opfsBytes({ name })
    .catch(() => cacheBytes({ name }))
    .catch((error: unknown) => {
      onDegraded?.({ key: name, error });
      return undefined;
    });
  return onDisk ? fallbackBytes({ first: onDisk, memory, ...(onDegraded && { onDegraded }) }) : memory;
}

export async function keepStorage(): Promise<boolean> {
  return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
}

export async function openClientSocket(url: string): Promise<ClientSocket> {
  return new WebSocket(url);
}
