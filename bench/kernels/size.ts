import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { Figure } from "../result.ts";

const folder = new URL("../../packages/wasm-kernels/wasm/", import.meta.url);

/** Measures the size of each shipped WebAssembly module, uncompressed and with gzip -9. */
export async function benchSize(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const file of (await readdir(folder)).toSorted()) {
    const wasm = await readFile(new URL(file, folder));
    figures.push(
      {
        name: "size",
        metric: `${file}, gzip -9`,
        value: gzipSync(wasm, { level: 9 }).length / 1024,
        unit: "KB",
      },
      { name: "size", metric: file, value: wasm.length / 1024, unit: "KB" },
    );
  }
  return figures;
}
