import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumArgs, findChromium } from "./scripts/chromium.ts";

const conditions = ["sedna-source"];

export default defineConfig({
  resolve: { conditions: [...conditions, "module", "browser", "development|production"] },
  ssr: {
    resolve: {
      conditions: [...conditions, "node", "import", "module", "development|production"],
      externalConditions: conditions,
    },
  },
  server: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    fs: { allow: ["."] },
  },
  worker: { format: "es" },
  optimizeDeps: { include: ["comlink", "idb", "zod/mini", "fast-check"], exclude: ["onnxruntime-web"] },
  test: {
    reporters: ["default", "./scripts/summary-reporter.ts"],
    onConsoleLog: (log) => {
      throw new Error(`a test printed to the console: ${log}`);
    },
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: [
            "packages/*/src/**/*.test.ts",
            "scripts/**/*.test.ts",
            "bench/**/*.test.ts",
            "demo/src/**/*.test.ts",
            "demo/server/**/*.test.ts",
            "models/**/*.test.ts",
            "testing/**/*.test.ts",
          ],
          exclude: ["**/node_modules/**", "**/*.browser.test.ts"],
          pool: "forks",
          execArgv: ["--conditions=sedna-source", "--import", "tsx"],
        },
      },
      {
        extends: true,
        test: {
          name: "end-to-end",
          include: ["demo/test/**/*.test.ts", "packages/*/test/**/*.test.ts"],
          pool: "forks",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["packages/*/src/**/*.browser.test.ts"],
          testTimeout: 90_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: findChromium(), args: [...chromiumArgs] },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
