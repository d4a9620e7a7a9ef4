// `npm test`: runs all tests, including those in a real browser. Arguments are passed to Vitest.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensureChromium } from "./chromium.ts";
import { ensureFfmpeg } from "./ffmpeg.ts";

const chromium = ensureChromium();
ensureFfmpeg();
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, CHROMIUM: chromium },
});
process.exit(status ?? 1);
