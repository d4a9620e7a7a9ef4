import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Returns whether ffmpeg is installed and recent enough for the sources that need it (5.1, July 2022). */
export function hasFfmpeg(): boolean {
  const { stdout = "", status } = spawnSync("ffmpeg", ["-hide_banner", "-h", "long"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 2 ** 26,
  });
  return status === 0 && stdout.includes("-fps_mode");
}

/**
 * Installs ffmpeg if it is missing, on Debian as root. Otherwise, and if the installation fails, the tests
 * that need ffmpeg are skipped with that reason.
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
    console.log(`ffmpeg could not be installed: ${String(error)}`);
  }
}
