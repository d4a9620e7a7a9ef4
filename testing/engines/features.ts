/** Returns a WebGPU adapter. A software adapter is accepted too, because its results are correct. */
export const webgpuAdapter = async (): Promise<GPUAdapter | null> =>
  ("gpu" in navigator && (await navigator.gpu.requestAdapter().catch(() => null))) || null;

const has = (name: string): boolean => name in globalThis;

const features: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  "cross-origin isolation": () => globalThis.crossOriginIsolated === true,
  SharedArrayBuffer: () => has("SharedArrayBuffer"),
  WebGPU: async () => (await webgpuAdapter()) !== null,
  "WebGPU shader-f16": async () => (await webgpuAdapter())?.features.has("shader-f16") === true,
  "WebGPU subgroups": async () =>
    (await webgpuAdapter())?.features.has("subgroups" as GPUFeatureName) === true,
  OPFS: async () =>
    typeof navigator.storage?.getDirectory === "function" &&
    (await navigator.storage.getDirectory().then(
      () => true,
      () => false,
    )),
  "OPFS writable streams": () =>
    has("FileSystemFileHandle") && "createWritable" in FileSystemFileHandle.prototype,
  IndexedDB: () => has("indexedDB"),
  "Cache storage": () => has("caches"),
  "Web Locks": () => "locks" in navigator,
  "persistent storage": () => typeof navigator.storage?.persist === "function",
  "Ed25519 in WebCrypto": async () =>
    crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]).then(
      () => true,
      () => false,
    ),
  VideoFrame: () => has("VideoFrame"),
  VideoDecoder: () => has("VideoDecoder"),
  MediaStreamTrackProcessor: () => has("MediaStreamTrackProcessor"),
  requestVideoFrameCallback: () => "requestVideoFrameCallback" in HTMLVideoElement.prototype,
  OffscreenCanvas: () => has("OffscreenCanvas"),
  getUserMedia: () => typeof navigator.mediaDevices?.getUserMedia === "function",
  JSPI: () => "Suspending" in WebAssembly,
  Float16Array: () => has("Float16Array"),
};

/** Returns the names of the features that this engine lacks. */
export async function missingFeatures(): Promise<string[]> {
  const there = await Promise.all(
    Object.entries(features).map(async ([name, is]) => [name, await is()] as const),
  );
  return there.filter(([, is]) => !is).map(([name]) => name);
}
