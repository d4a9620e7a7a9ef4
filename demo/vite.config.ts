import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** Headers that restrict what the page may load, and isolate it, which WASM threads require. */
export const securityHeaders = {
  "Content-Security-Policy": [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "connect-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "style-src 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
};

// Disable warnings about slow builds, which only reflect a busy machine.
const checks = { bundlerTimings: false };

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  resolve: { conditions: ["sedna-source", "module", "browser", "development|production"] },
  worker: { format: "es", rolldownOptions: { checks } },
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      checks,
      input: ["index.html", "carry-on.html", "train-together.html", "labels.html"].map((page) =>
        fileURLToPath(new URL(page, import.meta.url)),
      ),
    },
  },
  preview: { headers: securityHeaders },
});
