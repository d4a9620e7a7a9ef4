// `npm run check`: everything that is checked without running the code. `npm run check -- NAME` runs one of
// the checks; `npm run check -- house` prints the rooms of each package and what they import.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { printHouse } from "./house.mjs";
import { tables } from "./rooms.mjs";

const bin = (name) => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
const script = (name) => [process.execPath, fileURLToPath(new URL(`./check-${name}.mjs`, import.meta.url))];

/** The checks, the quickest first. */
const checks = {
  format: [bin("oxfmt"), "--check"],
  lint: [bin("oxlint"), "--deny-warnings"],
  arrows: script("arrows"),
  shape: script("shape"),
  exports: script("exports"),
  parameters: [
    process.execPath,
    "--conditions=sedna-source",
    "--import",
    "tsx",
    fileURLToPath(new URL("./parameter-docs.ts", import.meta.url)),
    "--check",
  ],
  types: [bin("tsc"), "-b"],
  wasm: script("wasm"),
};

const [name, ...rest] = process.argv.slice(2);
if (name === "house") {
  printHouse(tables);
} else if (rest.length > 0 || (name !== undefined && !(name in checks))) {
  console.error(
    `check: expected one of ${[...Object.keys(checks), "house"].join(", ")}; got ${[name, ...rest].join(" ")}`,
  );
  process.exit(2);
} else {
  for (const [command, ...args] of name ? [checks[name]] : Object.values(checks)) {
    const { status } = spawnSync(command, args, { stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
}
