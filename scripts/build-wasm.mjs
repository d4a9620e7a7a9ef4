// npm run wasm: builds the kernels and writes the .wasm, the module that carries it, and the lock.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { compile, flags, lockFile, moduleFile, moduleText, sha256, sourceHashes, toolchains, wasmFile } from "./wasm-build.mjs";

const [toolchain] = toolchains();
if (toolchain === undefined) {
  console.error("build-wasm: expected rustc and cargo (1.88 or later) with the library source (rust-src), and wasm-ld (lld) on PATH, got none");
  process.exit(1);
}

const wasm = compile(toolchain);
const lock = {
  toolchain: toolchain.version,
  flags,
  sources: sourceHashes(),
  wasm: { sha256: sha256(wasm), bytes: wasm.length },
};
mkdirSync(dirname(wasmFile), { recursive: true });
writeFileSync(wasmFile, wasm);
writeFileSync(moduleFile, moduleText(wasm));
writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`kernels.wasm: ${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} gzipped, by ${toolchain.version.rustc}`);
