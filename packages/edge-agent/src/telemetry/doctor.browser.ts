import { messageOf } from "@sedna-js/core/errors";
import { megabytes, runChecks, type HealthCheck, type RunCheck } from "./health-check.ts";

/** Implements `platformChecks` of the platform contract: checks this browser and its page. */
export function platformChecks(): Promise<readonly HealthCheck[]> {
  return runChecks({
    "secure context": checkSecure,
    webgpu: checkWebGpu,
    wasm: checkWasm,
    "cross-origin isolation": checkIsolation,
    storage: checkStorage,
    persistence: checkPersistence,
    indexeddb: checkIndexedDb,
    memory: checkMemory,
  });
}

async function checkSecure(): ReturnType<RunCheck> {
  if (isSecureContext) return { status: "ok", found: "yes" };
  return {
    status: "fail",
    found: "no: cameras, WebGPU and storage are unavailable",
    fix: "serve the page over https, or from localhost",
  };
}

async function checkWebGpu(): ReturnType<RunCheck> {
  const without = "models run on WASM, more slowly";
  if (!("gpu" in navigator))
    return {
      status: "warn",
      found: `not in this browser: ${without}`,
      fix: "use a browser with WebGPU, and a secure context",
    };
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter)
    return {
      status: "warn",
      found: `no adapter: ${without}`,
      fix: "update the graphics driver; see chrome://gpu or about:support",
    };
  // Older engines report an emulated adapter in another property or not at all.
  const { info, limits, features } = adapter as GPUAdapter & { readonly isFallbackAdapter?: boolean };
  const isSoftware =
    (info as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter ??
    (adapter as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter ??
    false;
  const name = [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") || "an adapter";
  const found = `${name}, buffers up to ${megabytes(limits.maxBufferSize)}, ${features.has("shader-f16") ? "with" : "without"} float16`;
  if (isSoftware)
    return {
      status: "warn",
      found: `${found}, in software: ${without}`,
      fix: "turn on hardware acceleration in the browser's settings",
    };
  return { status: "ok", found };
}

async function checkWasm(): ReturnType<RunCheck> {
  // The smallest module with a SIMD instruction (v128.const, dropped). It is also rejected if the page's
  // Content Security Policy forbids WebAssembly.
  const simd = Uint8Array.of(
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    4,
    1,
    96,
    0,
    0,
    3,
    2,
    1,
    0,
    10,
    23,
    1,
    21,
    0,
    253,
    12,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    26,
    11,
  );
  try {
    await WebAssembly.compile(simd);
    return { status: "ok", found: "with SIMD" };
  } catch (error) {
    return {
      status: "fail",
      found: `refused: ${messageOf(error)}`,
      fix: "allow 'wasm-unsafe-eval' in the page's script-src, or use a browser with WebAssembly SIMD",
    };
  }
}

async function checkIsolation(): ReturnType<RunCheck> {
  if (crossOriginIsolated) return { status: "ok", found: "yes" };
  return {
    status: "warn",
    found: "no: WASM runs on one thread",
    fix: "send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
  };
}

async function checkStorage(): ReturnType<RunCheck> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  const found = `${megabytes(usage)} of ${megabytes(quota)} used`;
  return quota - usage > 200e6
    ? { status: "ok", found }
    : {
        status: "warn",
        found,
        fix: "free disk space, or clear the data of other sites; private windows have little storage",
      };
}

async function checkPersistence(): ReturnType<RunCheck> {
  if (await navigator.storage.persisted())
    return { status: "ok", found: "the browser keeps this site's data" };
  return {
    status: "warn",
    found: "the browser may delete this site's data when the disk is full",
    fix: "call navigator.storage.persist(), preferably after the page is installed as an app",
  };
}

async function checkIndexedDb(): ReturnType<RunCheck> {
  const name = `sedna-doctor-${crypto.randomUUID()}`;
  const done = <Result>(request: IDBRequest<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      request.addEventListener("success", () => resolve(request.result));
      request.addEventListener("error", () => reject(request.error ?? new Error("rejected")));
    });
  const opening = indexedDB.open(name, 1);
  opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore("probe"));
  const database = await done(opening);
  try {
    const transaction = database.transaction("probe", "readwrite", { durability: "strict" });
    await done(transaction.objectStore("probe").put(new Uint8Array(1024), "probe"));
    return { status: "ok", found: "can be written" };
  } catch (error) {
    return {
      status: "fail",
      found: `cannot be written: ${String(error)}`,
      fix: "free disk space, or restart the browser",
    };
  } finally {
    database.close();
    await done(indexedDB.deleteDatabase(name)).catch(() => {});
  }
}

async function checkMemory(): ReturnType<RunCheck> {
  const { deviceMemory, hardwareConcurrency } = navigator as Navigator & { readonly deviceMemory?: number };
  return {
    status: "ok",
    found: `${deviceMemory === undefined ? "an amount that this browser does not report" : `${deviceMemory} GB or more`}, ${hardwareConcurrency} threads`,
  };
}
