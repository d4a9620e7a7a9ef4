import { execFile } from "node:child_process";
import { EventEmitter } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright";
import { build, type Rollup } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumArgs, findChromium } from "../../../scripts/chromium.ts";

// Tests Electron support without Electron: its export conditions, its renderer in Chromium, and the main
// process's code with a stand-in for the module `electron`. See docs/electron.md.

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const run = promisify(execFile);
let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "sedna-electron-"))));
afterAll(() => rm(folder, { recursive: true }));

/**
 * Returns the target that a resolver selects for these conditions.
 *
 * Source: Node, "Packages: conditional exports".
 */
function target(map: unknown, conditions: readonly string[]): string | undefined {
  if (typeof map === "string") return map;
  for (const [condition, inner] of Object.entries(map as Record<string, unknown>)) {
    if (condition !== "default" && !conditions.includes(condition)) continue;
    const found = target(inner, conditions);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("the package in Electron", () => {
  it.each<[string, readonly string[], "node" | "browser"]>([
    ["the main process", ["node", "import", "electron", "module-sync", "node-addons"], "node"],
    [
      "a utility process or an unsandboxed preload script",
      ["node", "require", "electron", "node-addons"],
      "node",
    ],
    ["a renderer bundled by vite", ["module", "browser", "production", "import"], "browser"],
    ["a renderer bundled for electron-renderer", ["browser", "electron", "import"], "browser"],
    [
      "a renderer bundled by webpack's electron-renderer, which also has Node",
      ["webpack", "production", "node", "browser", "electron", "import"],
      "browser",
    ],
  ])("provides %s with the right platform", async (_, conditions, half) => {
    const { imports, exports } = JSON.parse(
      await readFile(root("packages/edge-agent/package.json"), "utf8"),
    ) as { imports: Record<string, unknown>; exports: Record<string, unknown> };
    expect(target(imports["#platform/*"], conditions)).toBe(`./dist/*/platform.${half}.js`);
    expect(target(imports["#platform/*"], [...conditions, "sedna-source"])).toBe(
      `./src/*/platform.${half}.ts`,
    );
    expect(target(exports["."], conditions)).toBe("./dist/index.js");
  });

  it("runs the Node platform under the conditions of the main process", async () => {
    const program = `const { camera, rtsp } = await import("@sedna-js/edge-agent");
      const said = []; for (const source of [camera, () => rtsp({ url: "rtsp://camera/" }).live]) try { said.push(source()); } catch (error) { said.push(error.message); }
      process.stdout.write(JSON.stringify(said));`;
    const { stdout } = await run(
      process.execPath,
      [
        "--conditions=electron",
        "--conditions=sedna-source",
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        program,
      ],
      { cwd: root("packages/edge-agent") },
    );
    expect(JSON.parse(stdout)).toEqual([
      expect.stringContaining("expected a browser; in Node use rtsp()"),
      true,
    ]);
  });
});

/** Builds the renderer for the given conditions and returns all of its chunks. */
async function bundleRenderer(conditions: string[]): Promise<Rollup.OutputChunk[]> {
  const { output } = (await build({
    root: root("docs/electron/renderer"),
    base: "./",
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["sedna-source", ...conditions] },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1000,
    },
  })) as Rollup.RollupOutput;
  return output.filter((one): one is Rollup.OutputChunk => one.type === "chunk");
}

describe("the renderer's bundle", () => {
  it.each([
    ["vite", ["module", "browser", "production"]],
    ["electron-renderer", ["browser", "electron"]],
    ["electron-renderer with Node", ["node", "browser", "electron"]],
  ])("for %s contains the browser platform and imports nothing from Node", async (_, conditions) => {
    const chunks = await bundleRenderer(conditions);
    const ids = chunks.flatMap(({ modules }) => Object.keys(modules));
    expect(ids.some((id) => id.endsWith("platform.browser.ts"))).toBe(true);
    expect(ids.filter((id) => /\.node\.ts$|__vite-browser-external|^node:/.test(id))).toEqual([]);
    // ONNX Runtime's own files import Node modules only after their own check for Node.
    const ours = chunks.filter(
      ({ modules }) => !Object.keys(modules).some((id) => id.includes("onnxruntime-web")),
    );
    expect(ours.length).toBeGreaterThan(0);
    for (const { code, imports } of ours)
      expect([code.match(/["']node:[a-z]/g), imports.filter((one) => one.startsWith("node:"))]).toEqual([
        null,
        [],
      ]);
  });
});

/** Creates a stand-in for the parts of the module `electron` that the recipe uses, and records the calls. */
function standIn() {
  const told = {
    schemes: [] as unknown[],
    handlers: new Map<string, (request: Request) => Promise<Response>>(),
    invokes: new Map<string, (event: unknown, ...args: unknown[]) => Promise<unknown>>(),
    windows: [] as Record<string, unknown>[],
    loaded: [] as string[],
    permission: undefined as
      | undefined
      | ((contents: unknown, permission: string, answer: (granted: boolean) => void) => void),
  };
  const app = Object.assign(new EventEmitter(), {
    whenReady: async () => {},
    quit: () => void app.emit("will-quit"),
  });
  class BrowserWindow {
    readonly webContents = Object.assign(new EventEmitter(), { setWindowOpenHandler() {} });
    constructor({ webPreferences }: { webPreferences: Record<string, unknown> }) {
      told.windows.push(webPreferences);
    }
    async loadURL(url: string): Promise<void> {
      told.loaded.push(url);
    }
  }
  const electron = {
    app,
    BrowserWindow,
    ipcMain: {
      handle: (name: string, handler: (event: unknown, ...args: unknown[]) => Promise<unknown>) =>
        void told.invokes.set(name, handler),
    },
    protocol: {
      registerSchemesAsPrivileged: (schemes: unknown[]) => void told.schemes.push(...schemes),
      handle: (scheme: string, handler: (request: Request) => Promise<Response>) =>
        void told.handlers.set(scheme, handler),
    },
    session: {
      defaultSession: {
        setPermissionRequestHandler: (handler: typeof told.permission) => void (told.permission = handler),
      },
    },
  };
  return { electron, told };
}

/** Returns what the preload script exposes to the page, over the stand-in's IPC. */
async function preload(
  invoke: (channel: string, ...args: unknown[]) => Promise<unknown>,
): Promise<Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>> {
  const exposed: Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>> = {};
  const electron = {
    contextBridge: {
      exposeInMainWorld: (name: string, api: (typeof exposed)[string]) => void (exposed[name] = api),
    },
    ipcRenderer: { invoke },
  };
  // The preload script is CommonJS, which Electron's sandbox requires.
  // oxlint-disable-next-line no-new-func
  new Function("require", await readFile(root("docs/electron/preload.cjs"), "utf8"))(() => electron);
  return exposed;
}

/** Serves the scheme's handler over HTTP, for a browser other than Electron. */
async function bridged(
  handler: (request: Request) => Promise<Response>,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    void handler(new Request(`app://bundle${request.url}`)).then(async (answer) =>
      response
        .writeHead(answer.status, Object.fromEntries(answer.headers))
        .end(Buffer.from(await answer.arrayBuffer())),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`, server };
}

describe("the Electron recipe", () => {
  it("infers on camera frames in the renderer and in the main process, under its own headers", async () => {
    await bundleRenderer(["module", "browser", "production"]);
    await cp(root("models/tiny-person/model.onnx"), join(folder, "models/little.onnx"));
    const { startAgentApp } = (await import("../../../docs/electron/agent-app.mjs" as string)) as {
      startAgentApp(electron: unknown, options: unknown): Promise<void>;
    };
    const { electron, told } = standIn();
    await startAgentApp(electron, {
      folder,
      preload: "preload.cjs",
      model: root("models/nanodet-g-416/model.onnx"),
    });
    expect(told.loaded).toEqual(["app://bundle/index.html"]);
    expect(told.windows).toEqual([
      {
        preload: "preload.cjs",
        contextIsolation: true,
        nodeIntegration: false,
        sandbox: true,
        backgroundThrottling: false,
      },
    ]);

    const ask = told.invokes.get("sedna:big-model")!;
    const exposed = await preload((_channel, picture) =>
      ask({ senderFrame: { url: "app://bundle/index.html" } }, picture),
    );
    const { url, server } = await bridged(told.handlers.get("app")!);
    const browser = await chromium.launch({ executablePath: findChromium(), args: [...chromiumArgs] });
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on(
        "console",
        (message) => void (["error", "warning"].includes(message.type()) && complaints.push(message.text())),
      );
      await page.exposeFunction("askMain", (picture: number[]) =>
        exposed["mainProcess"]!["bigModel"]!(Uint8Array.from(picture)),
      );
      await page.addInitScript(
        "globalThis.mainProcess = { bigModel: (picture) => globalThis.askMain(Array.from(picture)) }",
      );
      await page.goto(`${url}index.html`);
      const said = new Set<string>();
      const sees = async (line: RegExp): Promise<void> =>
        expect
          .poll(
            async () => {
              said.add((await page.locator("output").textContent()) ?? "");
              return [...said].some((one) => line.test(one));
            },
            { timeout: 60_000, interval: 20 },
          )
          .toBe(true);
      await sees(/^\d+ people, says the renderer$/);
      await sees(/^\d+ people, says the main process$/);
      expect(
        [...said].filter((one) => one !== "" && !/^\d+ people, says the (renderer|main process)$/.test(one)),
      ).toEqual([]);
      expect(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer])).toEqual([
        true,
        "function",
      ]);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
      electron.app.quit();
    }
  });

  it("serves only files in its folder, grants the camera only to itself, and ignores messages from other pages", async () => {
    const { startAgentApp, servePage } = (await import("../../../docs/electron/agent-app.mjs" as string)) as {
      startAgentApp(electron: unknown, options: unknown): Promise<void>;
      servePage(folder: string): (request: Request) => Promise<Response>;
    };
    const serve = servePage(root("docs/electron/renderer"));
    expect((await serve(new Request("app://bundle/index.html"))).status).toBe(200);
    for (const path of [
      "/../main.mjs",
      "/%2e%2e/main.mjs",
      "/..%2fmain.mjs",
      "/..%5cmain.mjs",
      "/%00",
      "/%",
      "/",
      "/nowhere.js",
      "//etc/passwd",
    ]) {
      expect([path, (await serve(new Request(`app://bundle${path}`))).status]).toEqual([path, 404]);
    }
    const { electron, told } = standIn();
    await startAgentApp(electron, { folder, preload: "preload.cjs", model: "nowhere.onnx" });
    const granted: boolean[] = [];
    for (const [url, permission] of [
      ["app://bundle/index.html", "media"],
      ["app://bundle/index.html", "geolocation"],
      ["https://evil.example/app://bundle/", "media"],
      ["app://bundle.evil/", "media"],
    ] as const)
      told.permission!({ getURL: () => url }, permission, (one) => granted.push(one));
    expect(granted).toEqual([true, false, false, false]);
    await expect(
      told.invokes.get("sedna:big-model")!(
        { senderFrame: { url: "https://evil.example/" } },
        new Uint8Array(3),
      ),
    ).rejects.toThrow("expected the app's own page");
    await expect(
      told.invokes.get("sedna:big-model")!({ senderFrame: null }, new Uint8Array(3)),
    ).rejects.toThrow("expected the app's own page");
    electron.app.quit();
  });
});
