// Part of npm run check: who imports whom, between packages and between the rooms of a package, and no
// circles of files.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { circlesOf, graphOf, importsOf, isTest, roomOf, root, sourceFiles } from "./house.mjs";
import { exceptions, packages, tables } from "./rooms.mjs";

const problems = [];

for (const [folder, allowed] of Object.entries(packages)) {
  for (const path of sourceFiles(join(root, folder))) {
    const name = relative(root, path);
    if (isTest(path)) continue;
    const [, extra = []] = Object.entries(exceptions).find(([prefix]) => name.startsWith(`${prefix}/`)) ?? [];
    const isAllowed = (target) =>
      [...allowed, ...extra].some((one) => (one.endsWith("/") ? target.startsWith(one) : target === one));
    for (const target of importsOf(path)) {
      if (target.startsWith("@sedna-js/") && !isAllowed(target))
        problems.push(
          `${name} imports ${target}; ${folder} may import ${allowed.join(", ") || "no package"}`,
        );
      const isNode = target.startsWith("node:") || target === "@sedna-js/core/node";
      if (isNode && !/\.node\.ts$|\/bin\/|config\.ts$|^demo\/server\//.test(name))
        problems.push(`${name} imports ${target}; only *.node.ts may`);
      if (target.startsWith(".") && !join(path, "..", target).startsWith(join(root, folder)))
        if (!/\/models\//.test(target) && !name.startsWith("demo/server/"))
          problems.push(`${name} imports ${target}, which is outside its package`);
    }
  }
}

for (const [folder, rooms] of Object.entries(tables)) {
  const source = join(root, folder, "src");
  const graph = graphOf(source);
  for (const [path, targets] of graph) {
    const room = roomOf(path, { source, rooms });
    if (!(room in rooms))
      problems.push(`${folder}/src/${room} is a room that scripts/rooms.mjs does not know`);
    const allowed = rooms[room];
    if (!allowed) continue;
    for (const target of targets) {
      if (!existsSync(target)) continue;
      const to = roomOf(target, { source, rooms });
      if (to !== room && !allowed.includes(to))
        problems.push(
          `${relative(root, path)} imports ${to}; ${room} may import ${allowed.join(", ") || "nothing"}`,
        );
    }
  }
  for (const circle of circlesOf(graph))
    problems.push(
      `files import each other in a circle: ${circle.map((path) => relative(root, path)).join(", ")}`,
    );
}

if (problems.length > 0) {
  console.error([...new Set(problems)].join("\n"));
  process.exit(1);
}
console.log("arrows: every import goes where it may, and none goes in a circle");
