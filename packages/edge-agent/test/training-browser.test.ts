import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer, { type Browser, type BrowserContext, type Page } from "puppeteer-core";
import { build, preview, type PreviewServer } from "vite";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { chromiumArgs, findChromium } from "../../../scripts/chromium.ts";

// Training in a real tab that is hidden, runs on a low battery, saves data, and is closed in progress. Driven
// by puppeteer, because Playwright makes every page appear visible.

const folder = await mkdtemp(join(tmpdir(), "training-browser-"));
const running: { server?: PreviewServer; browser?: Browser; context?: BrowserContext } = {};
const settings = {
  root: fileURLToPath(new URL("fixtures", import.meta.url)),
  configFile: false,
  logLevel: "silent",
  build: { outDir: join(folder, "site") },
} as const;
const page = { url: "" };
const FOREVER = 1_000_000_000;
const patient = { timeout: 60_000 };

beforeAll(async () => {
  await build({
    ...settings,
    resolve: { conditions: ["sedna-source", "module", "browser", "development|production"] },
    build: {
      ...settings.build,
      target: "es2022",
      rollupOptions: { input: join(settings.root, "training-page.html") },
    },
  });
  running.server = await preview({ ...settings, preview: { port: 0, host: "127.0.0.1" } });
  page.url = `${running.server.resolvedUrls!.local[0]}training-page.html`;
  running.browser = await puppeteer.launch({
    executablePath: findChromium()!,
    args: [...chromiumArgs],
    headless: true,
  });
});
afterEach(() => running.context?.close());
afterAll(async () => {
  await running.browser?.close();
  await running.server?.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * Opens a tab with a mock battery: Chromium has none here, so the page's navigator gets one before the page
 * runs.
 */
async function opened(context?: BrowserContext): Promise<Page> {
  context ??= running.context = await running.browser!.createBrowserContext();
  const tab = await context.newPage();
  await tab.evaluateOnNewDocument(() => {
    const battery = Object.assign(new EventTarget(), { charging: true, level: 1 });
    Object.assign(navigator, { getBattery: async () => battery });
    Object.assign(window, {
      setBattery: (state: object) => (
        Object.assign(battery, state),
        battery.dispatchEvent(new Event("levelchange")),
        battery.dispatchEvent(new Event("chargingchange"))
      ),
    });
  });
  await tab.goto(page.url);
  await tab.waitForFunction(() => "trainingPage" in window);
  return tab;
}
const reasons = (tab: Page) => tab.evaluate(() => window.trainingPage.reasons());
const epochs = (tab: Page) => tab.evaluate(() => window.trainingPage.epochs().length);
/** Starts an endless training and waits for some epochs. */
async function training(tab: Page): Promise<void> {
  await tab.evaluate((count) => void window.trainingPage.train(count), FOREVER);
  await expect.poll(() => epochs(tab), patient).toBeGreaterThan(3);
}
/** Returns whether no epoch ends while the page runs 30 other tasks. */
async function stands(tab: Page): Promise<boolean> {
  // The epoch in progress at the pause may end.
  await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  const before = await epochs(tab);
  for (let i = 0; i < 30; i++) await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  return (await epochs(tab)) === before;
}
async function goesOn(tab: Page): Promise<void> {
  const before = await epochs(tab);
  await expect.poll(() => epochs(tab), patient).toBeGreaterThan(before);
}

it("pauses while the page is hidden and resumes when it is visible", async () => {
  const tab = await opened();
  await training(tab);
  const other = await running.context!.newPage();
  await other.bringToFront();
  await expect.poll(() => reasons(tab), patient).toEqual(["hidden"]);
  expect(await stands(tab)).toBe(true);
  await tab.bringToFront();
  await expect.poll(() => reasons(tab), patient).toEqual([]);
  await goesOn(tab);
});

it("pauses while the battery discharges and is low", async () => {
  const tab = await opened();
  await training(tab);
  const set = (state: { readonly charging?: boolean; readonly level?: number }) =>
    tab.evaluate((given) => window.setBattery(given), state);
  await set({ charging: false, level: 0.6 });
  expect(await reasons(tab)).toEqual([]);
  await set({ level: 0.49 });
  expect(await reasons(tab)).toEqual(["battery"]);
  expect(await stands(tab)).toBe(true);
  await set({ charging: true });
  expect(await reasons(tab)).toEqual([]);
  await goesOn(tab);
});

it("pauses while data saver is on", async () => {
  const tab = await opened();
  const session = await tab.createCDPSession();
  await session.send("Emulation.setDataSaverOverride" as never, { dataSaverEnabled: true } as never);
  await tab.reload();
  await tab.waitForFunction(() => "trainingPage" in window);
  expect(await reasons(tab)).toEqual(["data-saver"]);
  await tab.evaluate((count) => void window.trainingPage.train(count), FOREVER);
  expect(await stands(tab)).toBe(true);
  expect(await epochs(tab)).toBe(0);
});

it("C9: a tab that is closed during training resumes in the next tab with its cached features and reaches the same weights", async () => {
  const whole = await (await opened()).evaluate(() => window.trainingPage.train(400));
  await running.context!.close();
  const first = await opened();
  await first.evaluate(() => void window.trainingPage.train(400, 22));
  await expect.poll(() => epochs(first), patient).toBe(22);
  await first.close();
  const second = await opened(running.context);
  const weights = await second.evaluate(() => window.trainingPage.train(400));
  const told = await second.evaluate(() => window.trainingPage.epochs());
  expect(told[0]).toBe(20);
  expect(await second.evaluate(() => window.trainingPage.hits())).toBe(90);
  expect(weights).toEqual(whole);
});
