// Builds and serves the page packages/edge-agent/test/fixtures/supervised, and opens it in Chromium.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright";
import { build, preview, type InlineConfig } from "vite";
import type { Supervised } from "../../packages/edge-agent/test/fixtures/supervised/page.ts";
import { chromiumArgs, findChromium } from "../../scripts/chromium.ts";

/** A Chromium and the served page. */
export interface SupervisedSite {
  readonly browser: Browser;
  /** Opens a new page and waits until it is loaded. */
  open(): Promise<Page>;
  close(): Promise<void>;
}

declare global {
  var startWithoutWorker: () => Promise<string>;
  var loseWorkerWithPicture: () => Promise<{
    readonly found: readonly string[];
    readonly reasons: readonly string[];
    readonly pictureLives: boolean;
  }>;
  var supervised: Supervised;
  var startSupervised: (options: {
    readonly providers: readonly ("webgpu" | "wasm")[];
    readonly runTimeoutMs?: number;
    readonly golden?: number;
    readonly impatient?: boolean;
  }) => void;
}

const root = fileURLToPath(new URL("../../packages/edge-agent/test/fixtures/supervised", import.meta.url));

/** Builds the page, serves it and starts a Chromium with a software WebGPU adapter. */
export async function supervisedSite(): Promise<SupervisedSite> {
  const outDir = await mkdtemp(join(tmpdir(), "sedna-supervised-"));
  const shared = {
    configFile: false,
    root,
    logLevel: "silent",
    resolve: { conditions: ["sedna-source", "module", "browser", "development|production"] },
    worker: { format: "es" },
  } satisfies InlineConfig;
  await build({ ...shared, build: { outDir, emptyOutDir: true, target: "es2022", minify: false } });
  const headers = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  };
  const server = await preview({
    ...shared,
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1", headers },
  });
  const browser = await chromium.launch({ executablePath: findChromium(), args: [...chromiumArgs] });
  return {
    browser,
    async open() {
      const page = await browser.newPage();
      const { port } = server.httpServer.address() as { port: number };
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForFunction(() => "startSupervised" in globalThis);
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}
