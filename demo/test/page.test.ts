import type { Page } from "playwright";
import { describe, expect, it } from "vitest";
import { startCloud } from "../server/start.ts";
import { visitedDemo } from "./visited-demo.ts";

// Tests the page as a visitor uses it: built, served with its headers, in a real Chromium, with the real
// models and video and a real cloud on a socket.

const { running, visit, count, grows } = visitedDemo();

const open = ({
  url = running.demo!.url,
  ...options
}: { url?: string; width?: number; ignore?: RegExp } = {}): Promise<Page> => visit(url, options);
/** Makes half of all frames hard, so that a test need not wait for them. */
const makeHalfHard = async (page: Page): Promise<void> => {
  await page.locator("#miner").selectOption("Random");
  await page.getByLabel("Share", { exact: true }).fill("0.5");
};
/** Returns the longest time without a new result while `during` runs, in ms. */
const longestPause = async (page: Page, during: () => Promise<void>): Promise<number> => {
  await page.evaluate(() => {
    const seen = { last: performance.now(), longest: 0 };
    Object.assign(globalThis, { seen });
    const canvas = document.querySelector("canvas")!;
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (...args: unknown[]) {
      if (this.canvas === canvas) {
        seen.longest = Math.max(seen.longest, performance.now() - seen.last);
        seen.last = performance.now();
      }
      Reflect.apply(draw, this, args);
    };
  });
  await during();
  return page.evaluate(() => {
    const { seen } = globalThis as unknown as { seen: { last: number; longest: number } };
    return Math.max(seen.longest, performance.now() - seen.last);
  });
};

describe("the demo page", () => {
  it("plays the video without a click and shows results of edge and cloud", async () => {
    const page = await open();
    await makeHalfHard(page);
    await grows(page, "answered", 20);
    await grows(page, "by-cloud", 3);
    expect(await page.locator("#backend").textContent()).toMatch(/^(WASM|WebGPU)$/);
    expect(await page.locator("#cloud").textContent()).toBe("connected");
    expect(await page.locator("#agree-joint").textContent()).toMatch(/^\d+\.\d %$/);
    const drawn = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>("#overlay")!;
      return canvas
        .getContext("2d")!
        .getImageData(0, 0, canvas.width, canvas.height)
        .data.some((one) => one > 0);
    });
    expect(drawn).toBe(true);
  });

  it("continues without a stall when the network is cut, and uses the cloud again when it is restored", async () => {
    const page = await open();
    await makeHalfHard(page);
    await grows(page, "by-cloud");
    const pause = await longestPause(page, async () => {
      await page.getByRole("button", { name: "Cut the network" }).click();
      await grows(page, "fallbacks", 10);
    });
    expect(pause).toBeLessThan(1500);
    expect(await page.locator("#cloud").textContent()).toBe("network cut");
    await page.getByRole("button", { name: "Restore the network" }).click();
    await grows(page, "by-cloud");
    await expect.poll(() => page.locator("#cloud").textContent()).toBe("connected");
  });

  it("continues when the cloud shuts down, and uses it again when it restarts", async () => {
    const page = await open({ ignore: /Failed to load resource/ });
    await makeHalfHard(page);
    await grows(page, "by-cloud");
    const port = Number(new URL(running.cloud!.url).port);
    await running.cloud!.close();
    const pause = await longestPause(page, () => grows(page, "fallbacks", 10));
    // Restart the cloud before the check, so that a failure does not fail the later tests.
    running.cloud = await startCloud({ port });
    expect(pause).toBeLessThan(1500);
    await grows(page, "by-cloud");
  });

  it("processes a camera through getUserMedia and returns to the video", async () => {
    const page = await open();
    await grows(page, "answered");
    await page.getByRole("button", { name: "Use my camera" }).click();
    await expect
      .poll(() => page.evaluate(() => document.querySelector("video")!.srcObject !== null))
      .toBe(true);
    await grows(page, "answered", 10);
    await page.getByRole("button", { name: "Back to the video" }).click();
    await expect
      .poll(() => page.evaluate(() => document.querySelector("video")!.srcObject === null))
      .toBe(true);
    await grows(page, "answered", 10);
  });

  it("uses only the edge or only the cloud if selected", async () => {
    const page = await open();
    await page.getByText("Edge only").click();
    await grows(page, "answered", 10);
    const before = await count(page, "by-cloud");
    await grows(page, "answered", 10);
    expect(await count(page, "by-cloud")).toBe(before);
    await page.getByText("Cloud only").click();
    await grows(page, "by-cloud", 5);
  });

  it("runs the big model in the page if there is no cloud, and states that", async () => {
    const { preview } = await import("vite");
    const configFile = new URL("../vite.config.ts", import.meta.url).pathname;
    const host = await preview({ configFile, logLevel: "error", preview: { port: 0, host: "127.0.0.1" } });
    const address = host.httpServer.address() as { port: number };
    const page = await open({ url: `http://127.0.0.1:${address.port}/`, ignore: /Failed to load resource/ });
    await expect
      .poll(() => page.locator("#cloud").textContent())
      .toBe("none here: the big model runs in this page");
    await makeHalfHard(page);
    await grows(page, "by-cloud", 2);
    await page.close();
    await host.close();
  });

  it("shows the true accuracy on labeled digits", async () => {
    const page = await open();
    await page.locator("#chart-digits").scrollIntoViewIfNeeded();
    await expect
      .poll(() => page.locator("#digit-result").textContent(), { timeout: 60_000 })
      .toMatch(/^With 20 % sent: 9[5-9]\.\d % correct\. Little model alone: 9[01]\.\d %/);
  });

  it("is isolated and sends its security headers", async () => {
    const { headers } = await fetch(running.demo!.url);
    expect(headers.get("content-security-policy")).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect([headers.get("cross-origin-opener-policy"), headers.get("cross-origin-embedder-policy")]).toEqual([
      "same-origin",
      "require-corp",
    ]);
    const page = await open();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  it("fits a phone and can be used by keyboard", async () => {
    const page = await open({ width: 360 });
    await grows(page, "answered");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const reached: string[] = [];
    for (let i = 0; i < 9; i++) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(
          () => document.activeElement?.id || (document.activeElement as HTMLInputElement)?.name || "",
        ),
      );
    }
    for (const id of ["policy", "miner", "camera", "network", "digit-share"]) expect(reached).toContain(id);
    await page.locator("#network").focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#network").getAttribute("aria-pressed")).toBe("true");
  });
});
