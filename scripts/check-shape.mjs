// Part of npm run check: how long files, functions, and lines may be, and how many fields an unnamed
// parameter type.
import { readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { parseSync } from "vite";
import { isTest, root, sourceFiles } from "./house.mjs";
import { longFiles, longFunctions } from "./shape-exceptions.mjs";

const MAX_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 80;
const MAX_COLUMNS = 110;
const MAX_INLINE_FIELDS = 2;

const problems = [];
const used = new Set();

/** True for an exception that has not grown. */
function allowed(list, key, lines) {
  const exception = list[key];
  if (!exception) return false;
  used.add(key);
  if (lines > exception.lines) return false;
  if (lines < exception.lines)
    problems.push(`scripts/shape-exceptions.mjs: ${key} has ${lines} lines now; write so`);
  return true;
}

const isFunction = (node) =>
  ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"].includes(node.type);

/** Calls `visit` with every node and its parents, the nearest first. */
function walk(node, visit, parents = []) {
  if (typeof node?.type !== "string") return;
  visit(node, parents);
  for (const [key, value] of Object.entries(node)) {
    if (key === "parent") continue;
    for (const child of Array.isArray(value) ? value : [value])
      if (child && typeof child === "object") walk(child, visit, [node, ...parents]);
  }
}

function nameOf(node, [parent]) {
  if (node.id) return node.id.name;
  if (parent?.type === "VariableDeclarator") return parent.id.name;
  if (parent?.type === "Property" || parent?.type === "MethodDefinition") return parent.key.name;
  return undefined;
}

function checkCode(path, text) {
  const name = relative(root, path);
  const { program } = parseSync(path, text, { lang: "ts", sourceType: "module" });
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const lineOf = (offset) => starts.findLastIndex((start) => start <= offset) + 1;
  walk(program, (node, parents) => {
    if (isFunction(node)) {
      const lines = lineOf(node.end) - lineOf(node.start) + 1;
      const label = nameOf(node, parents);
      if (
        lines > MAX_FUNCTION_LINES &&
        label !== undefined &&
        !allowed(longFunctions, `${name}:${label}`, lines)
      )
        problems.push(`${name}: ${label} has ${lines} lines; ${MAX_FUNCTION_LINES} is the ceiling`);
    }
    if (node.type === "TSTypeLiteral" && node.members.length > MAX_INLINE_FIELDS) {
      // Only in a parameter: a type alias has a name, and a union of results is read where it stands.
      const holder = parents.find(({ type }) => type !== "TSTypeAnnotation");
      const isParameter = ["ObjectPattern", "Identifier", "AssignmentPattern"].includes(holder?.type);
      const owner = parents[parents.indexOf(holder) + 1];
      const takes = isFunction(owner ?? {}) && owner.params.includes(holder);
      const takesDefault = owner?.type === "AssignmentPattern" && owner.left === holder;
      if (isParameter && (takes || takesDefault))
        problems.push(
          `${name}:${lineOf(node.start)} has an unnamed parameter type of ${node.members.length} fields; name it`,
        );
    }
  });
}

for (const folder of ["packages", "demo", "rust", "scripts", "bench", "models", "testing"]) {
  if (!statSync(join(root, folder), { throwIfNoEntry: false })) continue;
  for (const path of sourceFiles(join(root, folder))) {
    if (path.endsWith(".generated.ts")) continue;
    const name = relative(root, path);
    const text = readFileSync(path, "utf8");
    const lines = text.split("\n").length - 1;
    if (lines > MAX_FILE_LINES && name !== "scripts/shape-exceptions.mjs" && !allowed(longFiles, name, lines))
      problems.push(`${name} has ${lines} lines; ${MAX_FILE_LINES} is the ceiling`);
    if (!path.endsWith(".rs"))
      for (const [i, line] of text.split("\n").entries())
        // The formatter wraps code, and leaves comments as they are.
        if (line.length > MAX_COLUMNS && /^\s*(\/\/|\/\*\*|\*) /.test(line))
          problems.push(`${name}:${i + 1} has ${line.length} columns; ${MAX_COLUMNS} is the ceiling`);
    if (path.endsWith(".ts") && !isTest(path) && /^(export )?(let|var) /m.test(text))
      problems.push(`${name} has module-level mutable state`);
    if (/\bit\.only\(|\bdescribe\.only\(/.test(text)) problems.push(`${name} runs only some of its tests`);
    if (path.endsWith(".ts") && !isTest(path) && /^packages|^demo\/src/.test(name)) checkCode(path, text);
  }
}

for (const list of [longFunctions, longFiles])
  for (const key of Object.keys(list))
    if (!used.has(key)) problems.push(`scripts/shape-exceptions.mjs: ${key} is no exception any more`);

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log("shape: files, functions, lines, and parameter types keep to their ceilings");
