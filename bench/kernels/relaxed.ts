import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { build, type Rollup } from "vite";
import { chromiumArgs, findChromium } from "../../scripts/chromium.ts";
import type { MissingPeer } from "../peers/peer.ts";

/** The exports of a contestant's module in a page. Both functions may be async. */
export interface BrowserEntry {
  /**
   * Creates everything that a run needs. Galleries are created from a seed, because only JSON is passed to
   * the page.
   */
  prepare(params: never): unknown;
  /** Runs `repeats` times and returns the total time in ms. */
  run(repeats: number): number | Promise<number>;
}

/** A contestant in a Chromium page. */
export interface BrowserContestant<Params> {
  /** The browser's version. */
  readonly version: string;
  prepare(params: Params): Promise<void>;
  /**
   * Returns the time per run in ms, measured in the page. The clock has steps of 5 us; repeat runs that take
   * less than a few ms.
   */
  run(repeats: number): Promise<number>;
  dispose(): Promise<void>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Bundles a TypeScript module that exports {@link BrowserEntry}, and opens it in a cross-origin isolated
 * page, which has a precise clock. The page is idle between runs, so that contestants in Node can take turns
 * with it.
 */
export async function createBrowserContestant<Params = unknown>({
  entry,
}: {
  readonly entry: URL;
}): Promise<BrowserContestant<Params> | MissingPeer> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    return { name: "Chromium", reason: "no Chromium found; install it, or set CHROMIUM to the path of one" };
  const server = await served(await bundled(fileURLToPath(entry)));
  const browser = await chromium
    .launch({ executablePath, args: [...chromiumArgs] })
    .catch(async (error: unknown) => {
      await closed(server);
      throw error;
    });
  const dispose = async (): Promise<void> => {
    await browser.close();
    await closed(server);
  };
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    if (!(await page.evaluate(() => crossOriginIsolated)))
      throw new Error(
        "open the contestant's page: expected a cross-origin isolated page; it is not isolated",
      );
    // Pass a string, because the compiler of this file would rewrite an import() for Node.
    await page.evaluate('import("/entry.js").then((entry) => void (globalThis.contestant = entry))');
    return {
      version: browser.version(),
      async prepare(params) {
        await page.evaluate(
          async (given) => void (await contestant.prepare(given as never)),
          params as unknown,
        );
      },
      run: async (repeats) => (await page.evaluate((times) => contestant.run(times), repeats)) / repeats,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Exists only in the page. */
declare const contestant: BrowserEntry;

type Files = ReadonlyMap<string, string | Uint8Array>;

async function bundled(entry: string): Promise<Files> {
  const output = (await build({
    root,
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["sedna-source", "module", "browser", "production"] },
    build: {
      target: "esnext",
      write: false,
      copyPublicDir: false,
      lib: { entry, formats: ["es"], fileName: () => "entry.js" },
    },
  })) as Rollup.RollupOutput[];
  return new Map(
    output
      .flatMap((one) => one.output)
      .map((file) => [`/${file.fileName}`, file.type === "chunk" ? file.code : file.source]),
  );
}

async function served(files: Files): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const body = path === "/" ? "<!doctype html><title>A contestant</title>" : files.get(path);
    const type = path === "/" ? "text/html" : path.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": type,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return server;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
