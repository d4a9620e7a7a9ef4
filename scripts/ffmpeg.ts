import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Whether an ffmpeg runs here, and is not too old for the sources that need it (5.1, July 2022). */
export function hasFfmpeg(): boolean {
  const { stdout = "", status } = spawnSync("ffmpeg", ["-hide_banner", "-h", "long"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 2 ** 26,
  });
  return status === 0 && stdout.includes("-fps_mode");
}

/**
 * On Debian as root, installs ffmpeg where there is none. Elsewhere, and where that fails, the tests that
 * need it are skipped and say so.
 */
export function ensureFfmpeg(): void {
  if (hasFfmpeg() || !existsSync("/etc/debian_version") || process.getuid?.() !== 0) return;
  console.log("Some tests need ffmpeg; installing Debian's package ffmpeg ...");
  const options = ["-o", "DPkg::Lock::Timeout=300", "-y", "--no-install-recommends"];
  try {
    execFileSync("apt-get", ["update"], { stdio: ["ignore", "ignore", "inherit"] });
    execFileSync("apt-get", ["install", ...options, "ffmpeg"], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  } catch (error) {
    console.log(`It could not be installed: ${String(error)}`);
  }
}
