import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { modules } from "../scripts/wasm-build.mjs";
import type { Figure } from "./result.ts";

/** Bytes of each shipped WebAssembly module, as they are and by gzip -9. */
export async function benchSize(): Promise<Figure[]> {
  return modules
    .filter(({ moduleFile }) => moduleFile !== undefined)
    .flatMap(({ name, wasmFile }) => {
      const wasm = readFileSync(wasmFile);
      return [
        { name: "size", metric: `${name}.wasm, gzip -9`, value: gzipSync(wasm, { level: 9 }).length / 1024, unit: "KB" },
        { name: "size", metric: `${name}.wasm`, value: wasm.length / 1024, unit: "KB" },
      ];
    });
}
