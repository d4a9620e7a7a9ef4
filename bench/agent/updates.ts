import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type CDPSession } from "playwright";
import { build, preview, type InlineConfig } from "vite";
import { chromiumArgs, findChromium } from "../../scripts/chromium.ts";
import type { Updated } from "./updates-page/page.ts";
import { median, missing, type Figure } from "../result.ts";

declare global {
  var updated: Updated;
  var startUpdates: () => Promise<void>;
}

const name = "agent updates";
/**
 * Updates before the baseline: until then a page allocates one-time memory, such as compiled code and
 * allocator pools.
 */
const WARM = 2;

/**
 * Measures consecutive hot updates of a detector on WASM in a page of a real Chromium that processes frames:
 * the frames without a result, and the memory of the page's process, Workers included, over that after the
 * second update. The memory is the proportional set size that Linux reports for the process, after a garbage
 * collection.
 */
export async function benchAgentUpdates({ updates = 100 }: { readonly updates?: number } = {}): Promise<
  Figure[]
> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    return [
      missing({
        name,
        metric: "frames lost",
        reason: "no Chromium found; install it, or set CHROMIUM to the path of one",
      }),
    ];
  const site = await servedSite(new URL("./updates-page", import.meta.url));
  const browser = await chromium
    .launch({ executablePath, args: [...chromiumArgs] })
    .catch(async (error: unknown) => {
      await site.close();
      throw error;
    });
  try {
    const page = await browser.newPage();
    const pageSession = await page.context().newCDPSession(page);
    const browserSession = await browser.newBrowserCDPSession();
    await page.goto(site.url);
    await page.waitForFunction(() => "startUpdates" in globalThis);
    await page.evaluate(() => startUpdates());
    const measure = (): Promise<number> => settledMegabytes(pageSession, browserSession);
    const update = (times: number): Promise<void> => page.evaluate((count) => updated.update(count), times);

    await update(WARM);
    const before = await measure();
    const started = performance.now();
    const half = Math.floor((updates - WARM) / 2);
    await update(half);
    const middle = await measure();
    await update(updates - WARM - half);
    const seconds = (performance.now() - started) / 1000;
    const after = await measure();
    const { version, opened } = await page.evaluate(() => updated.state());
    if (version !== 1 + updates || opened !== 1 + updates)
      throw new Error(
        `bench updates: expected ${updates} versions, each in a new Worker; got version ${version} and ${opened} Workers`,
      );
    const { answered, failed, outOfOrder, given } = await page.evaluate(() => updated.end());
    return [
      {
        name,
        metric: `frames lost in ${updates} updates, of ${given}`,
        value: given - answered + failed + outOfOrder,
        unit: "frames",
      },
      { name, metric: `memory after ${WARM} updates`, value: before, unit: "MB" },
      {
        name,
        metric: `memory after ${WARM + half} updates`,
        value: middle,
        unit: "MB",
        peer: `after ${WARM}`,
        ratio: middle / before,
      },
      {
        name,
        metric: `memory after ${updates} updates`,
        value: after,
        unit: "MB",
        peer: `after ${WARM}`,
        ratio: after / before,
      },
      {
        name,
        metric: "one update, from the check to its confirmation",
        value: seconds / (updates - WARM),
        unit: "s",
      },
    ];
  } finally {
    await browser.close();
    await site.close();
  }
}

/**
 * Returns the memory of the page's process after garbage collections, in MB: the median of several readings,
 * because frames are in progress during each.
 */
async function settledMegabytes(page: CDPSession, browser: CDPSession): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 7; i++) {
    await page.send("HeapProfiler.collectGarbage");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    const sizes = await Promise.all(
      renderers.map(async ({ id }) =>
        proportionalKilobytes(await readFile(`/proc/${id}/smaps_rollup`, "utf8")),
      ),
    );
    // Chromium keeps a spare process for the next page; the largest process is this page's.
    looks.push(Math.max(...sizes) / 1024);
  }
  return median(looks);
}

function proportionalKilobytes(rollup: string): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(rollup) ?? [];
  if (kilobytes === undefined) throw new Error("read smaps_rollup: expected a Pss line; got none");
  return Number(kilobytes);
}

async function servedSite(folder: URL): Promise<{ readonly url: string; close(): Promise<void> }> {
  const outDir = await mkdtemp(join(tmpdir(), "sedna-updates-"));
  const shared = {
    configFile: false,
    root: fileURLToPath(folder),
    logLevel: "silent",
    resolve: { conditions: ["sedna-source", "module", "browser", "production"] },
    worker: { format: "es" },
  } satisfies InlineConfig;
  await build({ ...shared, build: { outDir, emptyOutDir: true, target: "es2022" } });
  const server = await preview({ ...shared, build: { outDir }, preview: { port: 0, host: "127.0.0.1" } });
  const { port } = server.httpServer.address() as { readonly port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      await server.close();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}
