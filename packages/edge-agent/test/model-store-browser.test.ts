import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright";
import { build, preview, type PreviewServer } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumArgs, findChromium } from "../../../scripts/chromium.ts";
import { paddedOnnx, publish, signingKey, type Version } from "../../../testing/servers/model-publisher.ts";
import { modelServer, type ModelServer } from "../../../testing/servers/model-server.ts";

// The model store of a page in a real Chromium with a real quota, over a real socket of another origin.

const folder = await mkdtemp(join(tmpdir(), "model-store-browser-"));
const running: { server?: PreviewServer; browser?: Browser; models?: ModelServer } = {};
const settings = {
  root: fileURLToPath(new URL("fixtures", import.meta.url)),
  configFile: false,
  logLevel: "silent",
  build: { outDir: join(folder, "site") },
} as const;
const page = { url: "" };
beforeAll(async () => {
  await build({
    ...settings,
    resolve: { conditions: ["sedna-source", "module", "browser", "development|production"] },
    build: {
      ...settings.build,
      target: "es2022",
      rollupOptions: { input: join(settings.root, "model-store-page.html") },
    },
  });
  running.server = await preview({ ...settings, preview: { port: 0, host: "127.0.0.1" } });
  page.url = `${running.server.resolvedUrls!.local[0]}model-store-page.html`;
  running.browser = await chromium.launch({ executablePath: findChromium(), args: [...chromiumArgs] });
  running.models = await modelServer();
});
afterAll(async () => {
  await running.browser?.close();
  await running.server?.close();
  await running.models?.close();
  await rm(folder, { recursive: true, force: true });
});

it("C7: if the quota is exceeded within a model, runs it from memory and keeps the good version on disk", async () => {
  const key = await signingKey("owner");
  const models = running.models!;
  const serve = async (version: Version): Promise<void> => void (models.files = await publish(key, version));
  const context = await running.browser!.newContext();
  const opened = async (): Promise<Page> => {
    const tab = await context.newPage();
    await tab.goto(page.url);
    await tab.waitForFunction(() => "modelStorePage" in window);
    await tab.evaluate((options) => window.modelStorePage.open(options), {
      manifest: models.url,
      key: { id: key.id, publicKey: key.publicKey },
    });
    return tab;
  };
  const tab = await opened();
  await serve({ version: 1, content: { "model.onnx": paddedOnnx(1_500_000, 1) } });
  expect(await tab.evaluate(() => window.modelStorePage.install())).toEqual({ version: 1, bytes: 1_500_000 });
  await tab.evaluate(() => window.modelStorePage.good(1));

  const { origin } = new URL(page.url);
  const devtools = await context.newCDPSession(tab);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 4_000_000 });
  await serve({ version: 2, content: { "model.onnx": paddedOnnx(6_000_000, 2) } });
  expect(await tab.evaluate(() => window.modelStorePage.install())).toEqual({ version: 2, bytes: 6_000_000 });
  const degraded = await tab.evaluate(() => window.modelStorePage.degraded);
  expect(degraded.length).toBeGreaterThan(0);
  expect(new Set(degraded)).toEqual(new Set(["storage-full"]));

  // Restart: the version in memory is lost, and the network is down.
  await tab.close();
  models.files = new Map();
  const later = await opened();
  expect(await later.evaluate(() => window.modelStorePage.current())).toBe(1);

  // The quota is lifted: the stored part of the new version is not downloaded again.
  const again = await context.newCDPSession(later);
  await again.send("Storage.overrideQuotaForOrigin", { origin });
  await serve({ version: 2, content: { "model.onnx": paddedOnnx(6_000_000, 2) } });
  models.asked.length = 0;
  expect(await later.evaluate(() => window.modelStorePage.install())).toEqual({
    version: 2,
    bytes: 6_000_000,
  });
  expect(await later.evaluate(() => window.modelStorePage.degraded)).toEqual([]);
  await later.evaluate(() => window.modelStorePage.good(2));
  expect(await (await opened()).evaluate(() => window.modelStorePage.current())).toBe(2);
  await context.close();
});
