// Part of npm run check: proves that the committed kernels.wasm belongs to the committed Rust source.
//
// With the toolchain that the lock names: rebuilds and compares bytes. Without it: compares the hash of
// every source file and of the .wasm with the lock, which the last build wrote.
import { readFileSync } from "node:fs";
import { compile, flags, lockFile, moduleFile, moduleText, sha256, sourceHashes, toolchains, wasmFile } from "./wasm-build.mjs";

const lock = JSON.parse(readFileSync(lockFile, "utf8"));
const wasm = readFileSync(wasmFile);
const problems = [];

const sources = sourceHashes();
for (const file of new Set([...Object.keys(sources), ...Object.keys(lock.sources)])) {
  if (sources[file] !== lock.sources[file]) problems.push(`rust/${file} is not what the .wasm was built from`);
}
if (JSON.stringify(flags) !== JSON.stringify(lock.flags)) problems.push("the build's flags are not those of the lock");
if (sha256(wasm) !== lock.wasm.sha256 || wasm.length !== lock.wasm.bytes) problems.push("kernels.wasm is not the one that the lock names");
if (readFileSync(moduleFile, "utf8") !== moduleText(wasm)) problems.push("kernels-wasm.generated.ts does not carry kernels.wasm");

const same = ({ version }) => Object.entries(lock.toolchain).every(([tool, text]) => version[tool] === text);
const toolchain = toolchains().find(same);
if (problems.length === 0 && toolchain !== undefined && !compile(toolchain).equals(wasm)) problems.push("a rebuild gives other bytes than kernels.wasm");

if (problems.length > 0) {
  for (const problem of problems) console.error(`check-wasm: ${problem}`);
  console.error("check-wasm: expected kernels.wasm to equal its source; run `npm run wasm`");
  process.exit(1);
}
console.log(
  toolchain === undefined
    ? `check-wasm: hashes agree; not rebuilt, because ${lock.toolchain.rustc} is not on PATH`
    : `check-wasm: rebuilt with ${lock.toolchain.rustc}, and the bytes agree`,
);
