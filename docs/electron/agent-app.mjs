// The main process: serves the renderer's files with the headers that threads and WebAssembly require, and
// runs a larger model on onnxruntime-node for the frames that the little model in the renderer finds hard.
import { readFile } from "node:fs/promises";
import { extname, resolve, sep } from "node:path";
import { decodeImage, nanodet, onnxEstimator } from "@sedna-js/edge-agent";

const origin = "app://bundle";

/**
 * Headers that restrict what the renderer may load, and isolate it. Without 'wasm-unsafe-eval' no model runs,
 * not even on WebGPU.
 */
export const securityHeaders = {
  "Content-Security-Policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "X-Content-Type-Options": "nosniff",
};
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

/** Returns a request handler, `(Request) => Promise<Response>`, that serves only the files of a folder. */
export function servePage(folder) {
  const root = resolve(folder);
  return async (request) => {
    try {
      const path = resolve(root, `.${decodeURIComponent(new URL(request.url).pathname)}`);
      if (!path.startsWith(root + sep))
        return new Response("not found", { status: 404, headers: securityHeaders });
      return new Response(await readFile(path), {
        headers: { ...securityHeaders, "Content-Type": types[extname(path)] ?? "application/octet-stream" },
      });
    } catch {
      return new Response("not found", { status: 404, headers: securityHeaders });
    }
  };
}

/** Opens the window. `electron` is a parameter, so that a test can run all of this without Electron. */
export async function startAgentApp(
  { app, BrowserWindow, ipcMain, protocol, session },
  { folder, preload, model },
) {
  // Must precede "ready". getUserMedia, WebGPU, IndexedDB, and Workers require a standard, secure scheme, and
  // file:// has no headers.
  protocol.registerSchemesAsPrivileged([
    { scheme: "app", privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
  await app.whenReady();
  protocol.handle("app", servePage(folder));

  const isOurs = (url) => typeof url === "string" && url.startsWith(`${origin}/`);
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) =>
    answer(permission === "media" && isOurs(contents.getURL())),
  );

  const big = onnxEstimator({ model, task: nanodet({ labels: [0], threshold: 0.45 }) });
  ipcMain.handle("sedna:big-model", async ({ senderFrame }, picture) => {
    if (!isOurs(senderFrame?.url)) throw new Error("call the big model: expected the app's own page");
    const frame = await decodeImage(new Uint8Array(picture));
    try {
      return await big.predict(frame);
    } finally {
      frame.close();
    }
  });
  app.on("window-all-closed", () => app.quit());
  app.on("will-quit", () => void big.dispose());

  const window = new BrowserWindow({
    // Without backgroundThrottling: false, a hidden window would get no frames.
    webPreferences: {
      preload,
      contextIsolation: true,
      nodeIntegration: false,
      sandbox: true,
      backgroundThrottling: false,
    },
  });
  window.webContents.setWindowOpenHandler(() => ({ action: "deny" }));
  window.webContents.on("will-navigate", (event) => event.preventDefault());
  await window.loadURL(`${origin}/index.html`);
}
