// Serves the demo as a visitor uses it: built, served with its headers, in a real Chromium, with a real cloud
// on a socket.
import type { Serving } from "@sedna-js/cloud";
import { chromium, type Browser, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { chromiumArgs, findChromium } from "../../scripts/chromium.ts";
import { buildDemo, startCloud, startDemo, type Demo } from "../server/start.ts";

/** The helpers for the tests of a file. */
export interface VisitedDemo {
  readonly running: { browser?: Browser; demo?: Demo; cloud?: Serving };
  /**
   * Opens a new page at a URL. Its errors and warnings fail the test, unless they match `ignore`. The next
   * test closes the page.
   */
  visit(url: string, options?: { readonly width?: number; readonly ignore?: RegExp }): Promise<Page>;
  /** Returns the number that an element shows. */
  count(page: Page, id: string): Promise<number>;
  /** Waits until that number has increased by at least `by`. */
  grows(page: Page, id: string, by?: number): Promise<void>;
}

/** Builds and serves the demo for the tests of the calling file. */
export function visitedDemo(): VisitedDemo {
  const running: { browser?: Browser; demo?: Demo; cloud?: Serving; page?: Page } = {};
  const complaints: string[] = [];

  beforeAll(async () => {
    await buildDemo();
    running.cloud = await startCloud();
    running.demo = await startDemo({ cloud: running.cloud });
    running.browser = await chromium.launch({ executablePath: findChromium(), args: [...chromiumArgs] });
  });
  afterAll(async () => {
    await running.browser?.close();
    await running.demo?.close();
  });
  afterEach(async () => {
    await running.page?.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  const count = async (page: Page, id: string): Promise<number> =>
    Number.parseInt((await page.locator(`#${id}`).textContent()) ?? "", 10);
  return {
    running,
    async visit(url, { width = 1280, ignore = /$^/ } = {}) {
      const page = await running.browser!.newPage({ viewport: { width, height: 800 } });
      running.page = page;
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type()) && !ignore.test(message.text()))
          complaints.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    count,
    async grows(page, id, by = 3) {
      const before = await count(page, id);
      await expect
        .poll(() => count(page, id), { timeout: 60_000, interval: 100 })
        .toBeGreaterThanOrEqual(before + by);
    },
  };
}
