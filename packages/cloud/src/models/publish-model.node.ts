import { SednaError, tensor, type Tensor, type Tensors, type TensorSpec } from "@sedna-js/core";
import { onnxRuntime, type OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import { importOptional } from "@sedna-js/core/errors";
import type { ExternalData } from "@sedna-js/core/estimator";
import { arrayOf, elementCount } from "@sedna-js/core/tensor";
import {
  type ModelFile,
  type ModelManifest,
  onnxReferences,
  parseSignedManifest,
  writeSafetensors,
} from "@sedna-js/core/wire";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { PublishOptions } from "./platform.ts";
import { signManifest } from "./signing-key.node.ts";

/** A file to publish. */
interface NewFile extends ModelFile {
  readonly data: Uint8Array;
}

/** See the contract. */
export async function publishModel({
  model,
  name,
  version,
  task,
  license,
  key,
  directory,
  labels,
  thresholds,
  executionProviders = ["webgpu", "wasm", "cpu"],
  precision = "float32",
  rollbackOf,
  golden,
}: PublishOptions): Promise<ModelManifest> {
  const before = await published(directory);
  if (before && before.name !== name)
    throw new RangeError(`publish ${name}: expected a folder of its own; got that of ${before.name}`);
  const next = version ?? (before?.version ?? 0) + 1;
  if (before && !(next > before.version))
    throw new RangeError(
      `publish ${name}: expected a version above ${before.version}; got ${next}. To roll back, publish the old file as a higher version with rollbackOf`,
    );

  const data = await read(model);
  // The model refers to these files by name, so they keep their names.
  const externalData = await Promise.all(
    onnxReferences(data).map(async (path) => ({ path, data: await read(join(dirname(model), plain(path))) })),
  );
  const described = await describeModel(data, { externalData, seed: golden && (golden.seed ?? 1) });
  const onnx = named(data, { extension: extname(basename(model)) || ".onnx" });
  const cases = described.golden && {
    inputs: named(writeSafetensors({ tensors: described.golden.inputs }), { extension: ".safetensors" }),
    outputs: named(writeSafetensors({ tensors: described.golden.outputs }), { extension: ".safetensors" }),
  };
  const files: NewFile[] = [
    onnx,
    ...externalData.map(({ path, data: weights }) => ({ ...named(weights, { extension: "" }), path })),
    ...(cases ? [cases.inputs, cases.outputs] : []),
  ];

  const manifest: ModelManifest = {
    format: "sedna-model/1",
    name,
    version: next,
    ...(rollbackOf === undefined ? {} : { rollbackOf }),
    // If a golden case's inputs equal its outputs, they share one file.
    files: files
      .filter((file, i) => files.findIndex(({ path }) => path === file.path) === i)
      .map(({ path, size, sha256 }) => ({ path, size, sha256 })),
    variants: [
      {
        file: onnx.path,
        ...(externalData.length > 0 && { externalData: externalData.map(({ path }) => path) }),
        executionProviders,
        precision,
      },
    ],
    inputs: described.inputs,
    outputs: described.outputs,
    // Canonical JSON has no undefined: an absent key is left out.
    task: task.options === undefined ? { name: task.name } : task,
    ...(labels && { labels }),
    license,
    ...(thresholds && { thresholds }),
    ...(cases && {
      golden: [
        {
          inputs: cases.inputs.path,
          outputs: cases.outputs.path,
          tolerance: { absolute: golden?.absolute ?? 0.001, relative: golden?.relative ?? 0.01 },
        },
      ],
    }),
  };
  // Validate the manifest as an edge does before anything is written.
  const signed = signManifest(manifest, key);
  await mkdir(directory, { recursive: true });
  for (const file of files) await place(directory, file);
  await replace(directory, {
    path: "manifest.json",
    data: new TextEncoder().encode(`${JSON.stringify(signed, undefined, 2)}\n`),
  });
  return signed.manifest;
}

/** Writes a file under a temporary name, flushes it, and renames it atomically. */
export async function replace(
  folder: string,
  { path, data }: { readonly path: string; readonly data: Uint8Array },
): Promise<void> {
  const unfinished = join(folder, `.${randomUUID()}.unfinished`);
  try {
    const handle = await open(unfinished, "wx");
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, join(folder, path));
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/**
 * Writes a file if it does not exist. An existing file with other content is repaired if its name is its own
 * hash. Otherwise it is an error, because edges may have that file.
 */
async function place(folder: string, file: NewFile): Promise<void> {
  const there = await readFile(join(folder, file.path)).catch(() => undefined);
  if (there === undefined) return replace(folder, file);
  if (hashOf(there) === file.sha256) return;
  if (file.path.startsWith(file.sha256)) return replace(folder, file);
  throw new RangeError(
    `publish ${file.path}: expected the same file as in older versions; got a different one. Give the file another name in the model`,
  );
}

async function published(folder: string): Promise<ModelManifest | undefined> {
  const bytes = await readFile(join(folder, "manifest.json")).catch((error: unknown) => {
    if ((error as { readonly code?: string }).code === "ENOENT") return undefined;
    throw error;
  });
  return bytes && parseSignedManifest(bytes).manifest;
}

function named(data: Uint8Array, { extension }: { readonly extension: string }): NewFile {
  const sha256 = hashOf(data);
  return { path: `${sha256}${extension}`, size: data.length, sha256, data };
}

function hashOf(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * Returns the path if it is a plain file name.
 * @throws {SednaError} `model-unreadable` if the path leaves the model's folder.
 */
function plain(path: string): string {
  if (path !== basename(path) || path.startsWith(".") || path.includes("\\"))
    throw new SednaError(
      `publish a model: expected references to files in its own folder; got ${JSON.stringify(path)}`,
      { code: "model-unreadable" },
    );
  return path;
}

async function read(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: Error) => {
    throw new SednaError(`read ${path}: expected a file; got ${cause.message}`, {
      code: "model-unreadable",
      cause,
    });
  });
}

/** A model's inputs and outputs and, optionally, its outputs for seeded inputs. */
interface ModelDescription {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly golden?: { readonly inputs: Tensors; readonly outputs: Tensors };
}

/**
 * Opens a model in Node and returns its inputs and outputs and, if `seed` is given, a golden case.
 * @throws {SednaError} `model-unreadable`; `missing-dependency` without onnxruntime-node; `run-failed`.
 */
async function describeModel(
  model: Uint8Array,
  {
    externalData,
    seed,
  }: { readonly externalData: readonly ExternalData[]; readonly seed?: number | undefined },
): Promise<ModelDescription> {
  const ort = await importOptional("onnxruntime-node", {
    action: "load ONNX Runtime",
    load: () => import("onnxruntime-node"),
  });
  const runtime = onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"] });
  const session = await runtime.createSession(model, { externalData });
  try {
    const { inputs, outputs } = session;
    if (seed === undefined) return { inputs, outputs };
    const random = generator(seed);
    const feeds = Object.fromEntries(inputs.map((spec) => [spec.name, randomTensor(spec, random)]));
    return { inputs, outputs, golden: { inputs: feeds, outputs: await session.run(feeds) } };
  } finally {
    await session.release();
  }
}

/**
 * Returns random numbers in 0..1, the range of pictures. A free axis gets length 1. Integers are 0 or 1,
 * which is also valid for indices and masks.
 */
function randomTensor({ dtype, shape }: TensorSpec, random: () => number): Tensor {
  const fixed = shape.map((axis) => Math.max(axis, 1));
  const numbers = Array.from({ length: elementCount(fixed) }, () =>
    dtype.startsWith("float") ? random() : Math.round(random()),
  );
  return tensor(
    dtype,
    fixed,
    dtype === "int64"
      ? BigInt64Array.from(numbers, BigInt)
      : arrayOf[dtype as Exclude<typeof dtype, "int64">].from(numbers),
  );
}

/** Returns a generator of reproducible numbers in [0,1). Source: mulberry32, Tommy Ettinger. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
