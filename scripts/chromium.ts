import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright";

/**
 * Flags that provide a headless Chromium with a software WebGPU adapter and a camera with a test pattern, on
 * any machine.
 */
export const chromiumArgs = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--use-angle=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--ignore-gpu-blocklist",
  "--autoplay-policy=no-user-gesture-required",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
] as const;

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/**
 * Returns the path of the Chromium to test with: `CHROMIUM`, Playwright's own, or the system's. Returns
 * `undefined` if there is none.
 */
export function findChromium(): string | undefined {
  const chosen = process.env["CHROMIUM"];
  if (chosen) return chosen;
  const own = chromium.executablePath();
  return [own, ...places].find((path) => existsSync(path));
}

/**
 * Like {@link findChromium}, but installs Chromium if it is missing, on Debian as root.
 *
 * @throws {Error} With instructions for other systems, if there is none.
 */
export function ensureChromium(): string {
  const found = findChromium();
  if (found) return found;
  const isDebianRoot = existsSync("/etc/debian_version") && process.getuid?.() === 0;
  if (isDebianRoot) {
    console.log("The tests need Chromium; installing Debian's package chromium ...");
    const options = ["-o", "DPkg::Lock::Timeout=300", "-y", "--no-install-recommends"];
    execFileSync("apt-get", ["update"], { stdio: ["ignore", "ignore", "inherit"] });
    execFileSync("apt-get", ["install", ...options, "chromium"], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    const installed = findChromium();
    if (installed) return installed;
  }
  throw new Error(
    "The tests need Chromium; found none. Install it (on Debian: apt-get install chromium; elsewhere: npx playwright install chromium), or set CHROMIUM to the path of one.",
  );
}
