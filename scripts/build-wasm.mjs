// npm run wasm: builds the kernels and writes each .wasm file, the module that contains it, and the lock
// file.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
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

const [toolchain] = toolchains();
if (toolchain === undefined) {
  console.error(
    "build-wasm: expected rustc and cargo (1.88 or later) with the library source (rust-src), and wasm-ld (lld) on PATH; got none",
  );
  process.exit(1);
}

const built = compile(toolchain).map((wasm, i) => ({ module: modules[i], wasm }));
for (const { module, wasm } of built) {
  mkdirSync(dirname(module.wasmFile), { recursive: true });
  writeFileSync(module.wasmFile, wasm);
  if (module.moduleFile) writeFileSync(module.moduleFile, moduleText(module, wasm));
  console.log(`${module.name}.wasm: ${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} gzipped`);
}
const lock = {
  toolchain: toolchain.version,
  sources: sourceHashes(),
  modules: Object.fromEntries(
    built.map(({ module, wasm }) => [
      module.name,
      { flags: flagsOf(module), sha256: sha256(wasm), bytes: wasm.length },
    ]),
  ),
};
writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`built with ${toolchain.version.rustc}`);
