// The house as its files and imports show it: what `npm run check -- house` prints, and what check-arrows.mjs
// judges.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const SKIPPED = ["node_modules", "dist", "target", ".cache"];

/** All TypeScript, JavaScript, and Rust files below a folder. */
export function* sourceFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.includes(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (/\.(ts|mjs|rs)$/.test(entry.name)) yield path;
  }
}

/** True for tests, suites, and what only they use. */
export const isTest = (path) => /\.(test|suite|test-d)\.ts$/.test(path) || path.includes("/test/");

const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^;]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)/g;

/** What a file imports, as it is written. */
export const importsOf = (path) =>
  [...readFileSync(path, "utf8").matchAll(IMPORT)].map((match) => match[1] ?? match[2]);

/** The file that an import of a package's file leads to; `undefined` for other packages. */
export function targetOf(path, specifier, source) {
  if (specifier.startsWith(".")) return resolve(dirname(path), specifier);
  if (specifier.startsWith("#platform/"))
    return join(source, specifier.slice("#platform/".length), "platform.ts");
  return undefined;
}

/** The room of a file: the longest room of the table that its path begins with, else its first folder. */
export function roomOf(path, { source, rooms }) {
  const name = relative(source, path);
  const known = Object.keys(rooms).filter((room) => name === room || name.startsWith(`${room}/`));
  return known.toSorted((a, b) => b.length - a.length)[0] ?? name.split("/")[0];
}

/** The files of a package and their imports of each other. */
export function graphOf(source) {
  const files = [...sourceFiles(source)].filter((path) => path.endsWith(".ts") && !isTest(path));
  return new Map(
    files.map((path) => [
      path,
      importsOf(path)
        .map((specifier) => targetOf(path, specifier, source))
        .filter((target) => target !== undefined),
    ]),
  );
}

/** Files that import each other in a circle, each circle once (Tarjan's strongly connected components). */
export function circlesOf(graph) {
  const state = new Map();
  const stack = [];
  const circles = [];
  let counter = 0;
  const visit = (node) => {
    const mine = { index: counter, low: counter, onStack: true };
    counter++;
    state.set(node, mine);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      const known = state.get(next);
      if (!known) mine.low = Math.min(mine.low, visit(next));
      else if (known.onStack) mine.low = Math.min(mine.low, known.index);
    }
    if (mine.low === mine.index) {
      const circle = [];
      for (let top; top !== node;) {
        top = stack.pop();
        state.get(top).onStack = false;
        circle.push(top);
      }
      if (circle.length > 1) circles.push(circle);
    }
    return mine.low;
  };
  for (const node of graph.keys()) if (!state.has(node)) visit(node);
  return circles;
}

/** Prints the rooms of each package: files, lines, and the rooms that each imports. */
export function printHouse(tables) {
  for (const [folder, rooms] of Object.entries(tables)) {
    const source = join(root, folder, "src");
    const graph = graphOf(source);
    const found = new Map();
    for (const [path, targets] of graph) {
      const room = roomOf(path, { source, rooms });
      const entry = found.get(room) ?? { files: 0, lines: 0, imports: new Map() };
      found.set(room, entry);
      entry.files++;
      entry.lines += readFileSync(path, "utf8").split("\n").length - 1;
      for (const target of targets) {
        const to = roomOf(target, { source, rooms });
        if (to !== room) entry.imports.set(to, (entry.imports.get(to) ?? 0) + 1);
      }
    }
    const arrows = [...found.values()].reduce((sum, { imports }) => sum + imports.size, 0);
    console.log(`\n${folder}: ${graph.size} files, ${found.size} rooms, ${arrows} arrows`);
    // Leaves first, as the tables have them.
    for (const room of Object.keys(rooms)) {
      const entry = found.get(room);
      if (!entry) continue;
      const to = [...entry.imports.keys()].toSorted().join(" ");
      console.log(
        `  ${room.padEnd(28)}${String(entry.files).padStart(4)} files ${String(entry.lines).padStart(6)} lines${to ? `  -> ${to}` : ""}`,
      );
    }
  }
}
