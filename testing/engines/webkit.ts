import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pollReport, type Engine } from "./engine.ts";
import type { EngineReport } from "./engine-check.ts";

const driver = "/usr/bin/WebKitWebDriver";
const screen = "/usr/bin/Xvfb";

/**
 * Returns WebKitGTK's MiniBrowser, driven by its own WebDriver, on a virtual screen; `undefined` if one of
 * them is missing.
 */
export function webkitEngine(): Engine | undefined {
  const binary = findMiniBrowser();
  if (binary === undefined || !existsSync(driver) || !existsSync(screen)) return undefined;
  return {
    name: "WebKitGTK",
    async report(url) {
      const home = await mkdtemp(join(tmpdir(), "sedna-webkit-"));
      const started: ChildProcess[] = [];
      try {
        const port = await freePort();
        const display = await startScreen(started);
        const env = {
          ...process.env,
          HOME: home,
          XDG_RUNTIME_DIR: home,
          DISPLAY: display,
          GDK_BACKEND: "x11",
          LIBGL_ALWAYS_SOFTWARE: "1",
          WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
        };
        started.push(spawn(driver, [`--port=${port}`, "--host=127.0.0.1"], { stdio: "ignore", env }));
        return await throughWebDriver(`http://127.0.0.1:${port}`, { url, binary });
      } finally {
        // Stop the processes in reverse order: a browser without its screen reports errors.
        for (const child of started.toReversed()) await end(child);
        await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      }
    },
  };
}

function findMiniBrowser(): string | undefined {
  const folders = [
    "/usr/lib",
    ...(existsSync("/usr/lib")
      ? readdirSync("/usr/lib")
          .filter((name) => name.endsWith("-linux-gnu"))
          .map((name) => join("/usr/lib", name))
      : []),
  ];
  const all = folders.flatMap((folder) =>
    ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map((name) => join(folder, name, "MiniBrowser")),
  );
  return all.find((path) => existsSync(path));
}

/** Starts an X server, which chooses its own display number, and returns the display. */
async function startScreen(started: ChildProcess[]): Promise<string> {
  const child = spawn(screen, ["-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  started.push(child);
  const [chunk] = (await once(child.stdio[3] as Readable, "data", {
    signal: AbortSignal.timeout(20_000),
  })) as [Buffer];
  return `:${chunk.toString().trim()}`;
}

async function throughWebDriver(
  base: string,
  { url, binary }: { readonly url: string; readonly binary: string },
): Promise<EngineReport> {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: unknown };
    if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  await listening(base);
  const options = { binary, args: ["--automation"] };
  const { sessionId } = (await call("POST", "/session", {
    capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } },
  })) as { sessionId: string };
  try {
    await call("POST", `/session/${sessionId}/url`, { url });
    return await pollReport(() =>
      call("POST", `/session/${sessionId}/execute/sync`, {
        script: "return globalThis.engineReport ?? null",
        args: [],
      }),
    );
  } finally {
    await call("DELETE", `/session/${sessionId}`).catch(() => {});
  }
}

async function listening(base: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const up = await fetch(`${base}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return;
    if (tries === 200) throw new Error("start WebKitWebDriver: expected it to listen; it does not");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
  await exited;
  clearTimeout(timer);
}
