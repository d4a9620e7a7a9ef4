// Part of npm run check: verifies that each committed .wasm file matches the committed Rust source.
//
// With the toolchain that the lock file names, rebuilds the modules and compares the bytes. Without it,
// compares the hash of every source file and of each .wasm file with the lock file, which the last build
// wrote.
import { readFileSync } from "node:fs";
import {
  compile,
  flagsOf,
  lockFile,
  modules,
  moduleText,
  sha256,
  sourceHashes,
  toolchains,
} from "./wasm-build.mjs";

const lock = JSON.parse(readFileSync(lockFile, "utf8"));
const committed = modules.map(({ wasmFile }) => readFileSync(wasmFile));
const problems = [];

const sources = sourceHashes();
for (const file of new Set([...Object.keys(sources), ...Object.keys(lock.sources)])) {
  if (sources[file] !== lock.sources[file])
    problems.push(`rust/${file} differs from the source that the modules were built from`);
}
if (Object.keys(lock.modules).join() !== modules.map(({ name }) => name).join())
  problems.push("the lock file lists other modules than the build");
modules.forEach((module, i) => {
  const wasm = committed[i];
  const locked = lock.modules[module.name] ?? {};
  if (JSON.stringify(flagsOf(module)) !== JSON.stringify(locked.flags))
    problems.push(`the flags of ${module.name} differ from those in the lock file`);
  if (sha256(wasm) !== locked.sha256 || wasm.length !== locked.bytes)
    problems.push(`${module.name}.wasm differs from the one in the lock file`);
  if (module.moduleFile && readFileSync(module.moduleFile, "utf8") !== moduleText(module, wasm))
    problems.push(`${module.name}-wasm.generated.ts does not contain ${module.name}.wasm`);
});

const same = ({ version }) => Object.entries(lock.toolchain).every(([tool, text]) => version[tool] === text);
const toolchain = toolchains().find(same);
if (problems.length === 0 && toolchain !== undefined) {
  compile(toolchain).forEach((wasm, i) => {
    if (!wasm.equals(committed[i]))
      problems.push(`a rebuild of ${modules[i].name}.wasm gives different bytes`);
  });
}

if (problems.length > 0) {
  for (const problem of problems) console.error(`check-wasm: ${problem}`);
  console.error("check-wasm: expected each .wasm to match its source; run `npm run wasm`");
  process.exit(1);
}
console.log(
  toolchain === undefined
    ? `check-wasm: hashes match; not rebuilt, because ${lock.toolchain.rustc} is not on PATH`
    : `check-wasm: rebuilt with ${lock.toolchain.rustc}, and the bytes match`,
);
