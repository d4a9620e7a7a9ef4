import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { createServer } from "vite";
import { expect, it } from "vitest";
import { chromiumArgs, findChromium } from "../../scripts/chromium.ts";
import { startCloud } from "../server/start.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("the README's program runs unchanged and receives results from edge and cloud", async () => {
  const readme = await readFile(`${root}README.md`, "utf8");
  const [, program] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  expect(program!.trimEnd().split("\n").length).toBeLessThanOrEqual(12);

  const cloud = await startCloud();
  const page =
    '<!doctype html><link rel="icon" href="data:,"><video src="/models/vtest/vtest.mp4" muted autoplay loop></video><script type="module" src="/program.ts"></script>';
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "silent",
    cacheDir: ".cache/vite-readme",
    resolve: { conditions: ["sedna-source", "module", "browser", "development|production"] },
    optimizeDeps: { noDiscovery: true, include: ["comlink", "zod/mini"] },
    server: {
      port: 0,
      host: "127.0.0.1",
      proxy: { "/cloud": { target: cloud.url, rewrite: (path) => path.replace("/cloud", "") } },
    },
    plugins: [
      {
        name: "readme",
        resolveId: (id) => (id === "/program.ts" ? `${root}program.ts` : undefined),
        load: (id) => (id === `${root}program.ts` ? program : undefined),
        configureServer: ({ middlewares }) =>
          void middlewares.use((request, response, next) =>
            request.url === "/readme" ? response.setHeader("content-type", "text/html").end(page) : next(),
          ),
      },
    ],
  });
  await server.listen();
  const browser = await chromium.launch({ executablePath: findChromium(), args: [...chromiumArgs] });
  try {
    const tab = await browser.newPage();
    const said: string[] = [];
    tab.on("console", (message) => void (message.type() === "log" ? said.push(message.text()) : undefined));
    tab.on("pageerror", (error) => said.push(`error: ${error.message}`));
    await tab.goto(`${server.resolvedUrls!.local[0]}readme`);
    for (const line of [/^\d+ people, says the edge$/, /^\d+ people, says the cloud$/])
      await expect
        .poll(() => said.some((one) => line.test(one)), { timeout: 60_000, message: String(line) })
        .toBe(true);
    expect(said.filter((one) => !/^\d+ people, says the (edge|cloud|fallback)$/.test(one))).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
    await cloud.close();
  }
});
