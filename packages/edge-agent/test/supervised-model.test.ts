import type { CDPSession, Page } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { supervisedSite, type SupervisedSite } from "../../../testing/servers/supervised-page.ts";

// A page with a supervised model in a real Chromium on its software GPU. The GPU is lost in two ways: the
// device is destroyed, or the browser's GPU process crashes. ONNX Runtime opens the model y = x + x in real
// Workers.

const running: { site?: SupervisedSite; page?: Page } = {};
beforeAll(async () => {
  running.site = await supervisedSite();
});
afterAll(() => running.site?.close());
const complaints: string[] = [];
afterEach(async () => {
  await running.page?.close();
  expect(complaints.splice(0)).toEqual([]);
});

const start = async (options: Parameters<typeof startSupervised>[0]): Promise<Page> => {
  const page = await running.site!.open();
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.evaluate((given) => startSupervised(given), options);
  running.page = page;
  return page;
};
const told = (page: Page, type: string) =>
  page.evaluate((wanted) => supervised.events().filter((event) => event.type === wanted), type);
const accepted = (page: Page, type: string): Promise<number> => told(page, type).then(({ length }) => length);
/** Returns the sequence of backends, failures, and recoveries, without times. */
const story = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    supervised
      .events()
      .map((event) =>
        event.type === "model-failed"
          ? `${event.reason}: ${event.from} to ${event.to}`
          : `${event.type.replace("model-", "")} on ${event.backend}`,
      ),
  );
const answersGrow = async (page: Page): Promise<void> => {
  const before = (await page.evaluate(() => supervised.counts())).answered;
  await expect
    .poll(async () => (await page.evaluate(() => supervised.counts())).answered, { timeout: 30_000 })
    .toBeGreaterThan(before + 10);
};

const twice = [
  "opened on webgpu",
  "device-lost: webgpu to webgpu",
  "opened on webgpu",
  "recovered on webgpu",
  "device-lost: webgpu to wasm",
  "opened on wasm",
  "recovered on wasm",
];

describe("a supervised model in a browser", () => {
  it.each<[string, (page: Page) => Promise<void>]>([
    ["device.destroy()", (page) => page.evaluate(() => supervised.destroyDevice())],
    [
      "a crashed GPU process",
      async () => {
        const cdp: CDPSession = await running.site!.browser.newBrowserCDPSession();
        await cdp.send("Browser.crashGpuProcess");
        await cdp.detach();
      },
    ],
  ])("C12: %s loses no frame: first uses a new device, then WASM, with equal outputs", async (_, lose) => {
    const page = await start({ providers: ["webgpu", "wasm"] });
    expect(await page.evaluate(() => supervised.load())).toBe("webgpu");
    await page.evaluate(() => supervised.flow());
    for (let losses = 1; losses <= 2; losses++) {
      await answersGrow(page);
      await lose(page);
      await expect.poll(() => accepted(page, "model-recovered"), { timeout: 60_000 }).toBe(losses);
    }
    await answersGrow(page);
    await page.evaluate(() => supervised.still());
    expect(await page.evaluate(() => supervised.counts())).toMatchObject({
      rejected: 0,
      wrong: 0,
      backends: ["webgpu", "wasm"],
    });
    expect(await story(page)).toEqual(twice);
    await page.evaluate(() => supervised.dispose());
  });

  it("C12: replaces a device that is lost between two frames before the next frame", async () => {
    const page = await start({ providers: ["webgpu", "wasm"] });
    expect(await page.evaluate(() => supervised.predict(2))).toEqual([4, 4, 4, 4]);
    await page.evaluate(() => supervised.destroyDevice());
    await expect.poll(() => accepted(page, "model-opened"), { timeout: 60_000 }).toBe(2);
    expect(await page.evaluate(() => supervised.predict(3))).toEqual([6, 6, 6, 6]);
    expect(await story(page)).toEqual(twice.slice(0, 4));
  });

  it("C12: rejects a new device that computes wrong outputs", async () => {
    // The golden case expects y = 3 for x = 1, so this GPU appears to compute wrong outputs.
    const page = await start({ providers: ["webgpu", "wasm"], golden: 3 });
    await page.evaluate(() => supervised.load());
    await page.evaluate(() => supervised.destroyDevice());
    await expect.poll(() => page.evaluate(() => supervised.backend()), { timeout: 60_000 }).toBe("wasm");
    expect(await page.evaluate(() => supervised.predict(3))).toEqual([6, 6, 6, 6]);
    expect(await story(page)).toEqual([
      "opened on webgpu",
      "device-lost: webgpu to webgpu",
      "wrong-output: webgpu to wasm",
      "opened on wasm",
      "recovered on wasm",
    ]);
  });

  it("C12: retries the GPU after a delay and switches back while frames are processed", async () => {
    const page = await start({ providers: ["webgpu", "wasm"], impatient: true });
    await page.evaluate(() => supervised.load());
    await page.evaluate(() => supervised.flow());
    for (let losses = 1; losses <= 2; losses++) {
      await answersGrow(page);
      await page.evaluate(() => supervised.destroyDevice());
      await expect.poll(() => accepted(page, "model-recovered"), { timeout: 60_000 }).toBe(losses);
    }
    await expect.poll(() => page.evaluate(() => supervised.backend()), { timeout: 60_000 }).toBe("webgpu");
    await answersGrow(page);
    await page.evaluate(() => supervised.still());
    expect(await page.evaluate(() => supervised.counts())).toMatchObject({ rejected: 0, wrong: 0 });
    expect(await story(page)).toEqual([...twice, "opened on webgpu"]);
  });

  it("C11: replaces a Worker that is terminated from outside, although browsers emit no event for that", async () => {
    const page = await start({ providers: ["wasm"] });
    await page.evaluate(() => supervised.load());
    await page.evaluate(() => supervised.flow());
    await answersGrow(page);
    await page.evaluate(() => supervised.terminate());
    await expect.poll(() => accepted(page, "model-recovered"), { timeout: 30_000 }).toBe(1);
    await page.evaluate(() => supervised.still());
    expect(await page.evaluate(() => supervised.counts())).toMatchObject({ rejected: 0, wrong: 0 });
    expect(await story(page)).toEqual([
      "opened on wasm",
      "worker-crashed: wasm to wasm",
      "opened on wasm",
      "recovered on wasm",
    ]);
    const [recovered] = await told(page, "model-recovered");
    // Not detected by the watchdog, which waits at least 5 s.
    expect(recovered).toMatchObject({ ms: expect.toSatisfy((ms: number) => ms < 5000) });
  });

  it("C11: posts an image again that was lost with its Worker, and keeps the caller's image usable", async () => {
    const page = await running.site!.open();
    running.page = page;
    const { found, reasons, pictureLives } = await page.evaluate(() => loseWorkerWithPicture());
    expect(found[0]).toMatch(/^\[\[\d/);
    expect(found).toEqual([found[0], found[0], found[0]]);
    expect({ reasons, pictureLives }).toEqual({ reasons: ["worker-crashed"], pictureLives: true });
  });

  it("reports what a page must provide if it provides no Worker", async () => {
    const page = await running.site!.open();
    running.page = page;
    const message = await page.evaluate(() => startWithoutWorker());
    expect(message).toContain('new Worker(new URL("./edge.worker.ts", import.meta.url), { type: "module" })');
    expect(message).toContain("exposeModelHost()");
  });
});
