// Builds the .wasm files of the kernels and defines the content of their lock file. Shared by build-wasm.mjs
// and check-wasm.mjs.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = "wasm32-unknown-unknown";
const SIMD = "+simd128,+bulk-memory";

export const rustFolder = join(root, "rust");
export const lockFile = join(root, "packages/wasm-kernels/kernels.lock.json");

/**
 * The modules that the crate is built into. A page loads only what it uses: perception for processing frames;
 * tracking; vectors for averaging and matching, with a second build for engines with relaxed SIMD; training.
 * The probes are for benchmarks only.
 */
export const modules = [
  shipped("perception"),
  shipped("tracking"),
  shipped("vectors"),
  shipped("vectors-relaxed", { feature: "vectors", relaxed: true }),
  shipped("training"),
  {
    name: "probes",
    feature: "probes",
    targetFeatures: SIMD,
    wasmFile: join(root, "bench/kernels/probes.wasm"),
  },
];

function shipped(name, { feature = name, relaxed = false } = {}) {
  return {
    name,
    feature,
    targetFeatures: relaxed ? `${SIMD},+relaxed-simd` : SIMD,
    wasmFile: join(root, `packages/wasm-kernels/wasm/${name}.wasm`),
    moduleFile: join(root, `packages/wasm-kernels/src/generated/${name}-wasm.generated.ts`),
  };
}

// immediate-abort omits panic messages and formatting, which is a third of the module. A stack of 32 KiB
// instead of 1 MiB is ten times what the deepest kernel needs.
const commonFlags = [
  "-C linker=wasm-ld",
  "-C link-arg=-zstack-size=32768",
  "-Z unstable-options",
  "-C panic=immediate-abort",
];

// These loops are limited by memory or unrolled by hand. Unrolling them again would add a tenth to the
// module's size.
const unrolledByHand = ["vectors", "training"];

/** Returns the compiler flags of a module. */
export const flagsOf = ({ feature, targetFeatures }) => [
  `-C target-feature=${targetFeatures}`,
  ...commonFlags,
  ...(unrolledByHand.includes(feature) ? ["-C llvm-args=-unroll-runtime=false"] : []),
];

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Returns the hash of each file that the modules are built from, by its path in rust/. */
export function sourceHashes() {
  const sources = readdirSync(join(rustFolder, "src"), { recursive: true }).filter((name) =>
    name.endsWith(".rs"),
  );
  const files = ["Cargo.toml", "Cargo.lock", ...sources.toSorted().map((name) => `src/${name}`)];
  return Object.fromEntries(files.map((file) => [file, sha256(readFileSync(join(rustFolder, file)))]));
}

/** Returns the generated TypeScript module that contains the bytes. */
export function moduleText({ name }, wasm) {
  const constant = `${name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())}Wasm`;
  return `/** The WebAssembly module wasm/${name}.wasm in base64, written by scripts/build-wasm.mjs. */\nexport const ${constant} =\n  "${wasm.toString("base64")}";\n`;
}

/**
 * Returns every rustc on PATH with a cargo beside it, the source of the standard library, and a wasm-ld to
 * link with.
 */
export function toolchains() {
  const folders = new Set((process.env.PATH ?? "").split(delimiter).filter(Boolean));
  return [...folders].map(toolchainIn).filter((found) => found !== undefined);
}

function toolchainIn(folder) {
  const rustc = join(folder, "rustc");
  const cargo = join(folder, "cargo");
  if (!existsSync(rustc) || !existsSync(cargo)) return undefined;
  try {
    const library = join(output(rustc, ["--print", "sysroot"]), "lib/rustlib/src/rust/library");
    if (!existsSync(library)) return undefined;
    const version = {
      rustc: output(rustc, ["--version"]),
      cargo: output(cargo, ["--version"]),
      linker: output("wasm-ld", ["--version"]),
    };
    return { rustc, cargo, library, version };
  } catch {
    return undefined;
  }
}

const output = (command, args) =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/**
 * Builds the modules in a temporary folder, independent of the state of the checkout. Returns the bytes of
 * each module, in order.
 */
export function compile({ rustc, cargo, library }) {
  const folder = mkdtempSync(join(tmpdir(), "sedna-kernels-"));
  try {
    const vendor = join(library, "vendor");
    const offline = existsSync(vendor)
      ? [
          "--offline",
          "--config",
          'source.crates-io.replace-with="vendor"',
          "--config",
          `source.vendor.directory=${JSON.stringify(vendor)}`,
        ]
      : [];
    const remap = [
      `--remap-path-prefix=${rustFolder}=rust`,
      `--remap-path-prefix=${library}=library`,
      `--remap-path-prefix=${folder}=target`,
    ];
    return modules.map((module) => {
      const env = {
        ...process.env,
        RUSTC: rustc,
        RUSTC_BOOTSTRAP: "1",
        CARGO_TARGET_DIR: folder,
        CARGO_ENCODED_RUSTFLAGS: [...flagsOf(module).flatMap((flag) => flag.split(" ")), ...remap].join(
          "\x1f",
        ),
      };
      delete env.RUSTFLAGS;
      execFileSync(
        cargo,
        [
          "build",
          "--release",
          "--quiet",
          "--target",
          target,
          "-Zbuild-std=core",
          "--features",
          module.feature,
          ...offline,
        ],
        { cwd: rustFolder, env, stdio: ["ignore", "inherit", "inherit"] },
      );
      return readFileSync(join(folder, target, "release/sedna_kernels.wasm"));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
