import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How hnswlib-node is compiled: as in its own binding.gyp, or also with this processor's instructions. */
export type HnswlibBuild = "published" | "native";

const modules = fileURLToPath(new URL("node_modules/", import.meta.url));

/** Returns the path of a build, whether or not it exists. */
export function hnswlibFile(build: HnswlibBuild): string {
  return `${modules}.hnswlib/${build}.node`;
}

/**
 * Compiles hnswlib-node's single source file with c++. The package has no binaries, and node-gyp would
 * download Node's headers; this build uses the headers from npm.
 *
 * @throws {Error} If there is no compiler or it fails.
 */
export function compileHnswlib(build: HnswlibBuild): void {
  const out = hnswlibFile(build);
  mkdirSync(`${modules}.hnswlib`, { recursive: true });
  const flags = [
    "-O3",
    "-std=gnu++17",
    "-shared",
    "-fPIC",
    "-fexceptions",
    "-fvisibility=hidden",
    "-DNAPI_DISABLE_CPP_EXCEPTIONS",
    "-DNODE_GYP_MODULE_NAME=addon",
    "-w",
  ];
  // One process may load both builds, which must not share functions compiled for another processor.
  const platform =
    process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-fno-gnu-unique", "-Wl,-Bsymbolic"];
  const processor = build === "native" ? ["-march=native"] : [];
  const includes = ["node-api-headers/include", "node-addon-api"].map((folder) => `-I${modules}${folder}`);
  execFileSync(
    process.env["CXX"] ?? "c++",
    [...flags, ...platform, ...processor, ...includes, `${modules}hnswlib-node/src/addon.cc`, "-o", out],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
}
