#!/usr/bin/env node
// Runs the source in a checkout, the built command where only that is.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = new URL("../src/cli/bin.node.ts", import.meta.url);
if (!existsSync(source)) {
  await import("../dist/cli/bin.node.js");
} else {
  const tsx = import.meta.resolve("tsx");
  const child = spawn(
    process.execPath,
    ["--conditions=sedna-source", "--import", tsx, fileURLToPath(source), ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}
