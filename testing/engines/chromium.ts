import { chromium } from "playwright";
import { chromiumArgs, findChromium } from "../../scripts/chromium.ts";
import { pollReport, type Engine } from "./engine.ts";

/** Returns Chromium, driven by playwright; `undefined` if it is not installed. */
export function chromiumEngine(): Engine | undefined {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  return {
    name: "Chromium",
    async report(url) {
      const browser = await chromium.launch({ executablePath, args: [...chromiumArgs] });
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
