import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";
import { pollReport, type Engine } from "./engine.ts";

const places = [
  "/usr/bin/firefox-esr",
  "/usr/bin/firefox",
  "/snap/bin/firefox",
  "/Applications/Firefox.app/Contents/MacOS/firefox",
];

/**
 * Returns Firefox, driven by WebDriver BiDi, with WebGPU on the available Vulkan driver; `undefined` if
 * Firefox is not installed.
 */
export function firefoxEngine(): Engine | undefined {
  const executablePath = process.env["FIREFOX"] ?? places.find((path) => existsSync(path));
  if (executablePath === undefined) return undefined;
  return {
    name: "Firefox",
    async report(url) {
      const browser = await puppeteer.launch({
        browser: "firefox",
        executablePath,
        headless: true,
        extraPrefsFirefox: {
          "dom.webgpu.enabled": true,
          "gfx.webgpu.ignore-blocklist": true,
          "media.navigator.streams.fake": true,
          "media.navigator.permission.disabled": true,
        },
      });
      try {
        const page = await browser.newPage();
        await page.goto(url);
        return await pollReport(() => page.evaluate("globalThis.engineReport ?? null"));
      } finally {
        await browser.close();
      }
    },
  };
}
