import { arrayOf, type DType, type TensorSpec } from "../tensor.ts";
import {
  at,
  base64,
  fail,
  list,
  listed,
  NAME,
  number,
  oneOf,
  parseJson,
  record,
  text,
  unique,
  whole,
} from "./manifest-fields.ts";
import { MAX_FILE_BYTES } from "./manifest-limits.ts";
import type {
  GoldenCase,
  KeySet,
  ManifestSignature,
  ModelFile,
  ModelManifest,
  ModelVariant,
  PublicKey,
  SignedKeySet,
  SignedManifest,
} from "./model-manifest.ts";

/**
 * Parses a signed manifest from JSON. Does not verify its signatures.
 *
 * @throws {WireError} If the JSON is not a manifest whose parts match.
 */
export function parseSignedManifest(bytes: Uint8Array): SignedManifest {
  const { manifest, signatures } = record(
    parseJson(bytes, "read a model manifest"),
    at("the file", ["manifest", "signatures"]),
  );
  return { manifest: readManifest(manifest), signatures: readSignatures(signatures) };
}

/**
 * Parses a signed key set from JSON. Does not verify its signatures.
 *
 * @throws {WireError} If the JSON is not a signed key set.
 */
export function parseSignedKeySet(bytes: Uint8Array): SignedKeySet {
  const { keySet, signatures } = record(
    parseJson(bytes, "read a key set"),
    at("the file", ["keySet", "signatures"]),
  );
  return { keySet: readKeySet(keySet), signatures: readSignatures(signatures) };
}

/**
 * Reads a public key: an ID, and 32 bytes in base64.
 *
 * @throws {WireError} If the value is not a public key.
 */
export function readPublicKey(value: unknown, where = "a key"): PublicKey {
  const { id, publicKey } = record(value, at(where, ["id", "publicKey"]));
  return {
    id: text(id, { where: `${where}.id`, pattern: NAME, expected: "a name" }),
    publicKey: base64(publicKey, { where: `${where}.publicKey`, bytes: 32 }),
  };
}

function readKeySet(value: unknown): KeySet {
  const { format, version, keys } = record(value, at("keySet", ["format", "version", "keys"]));
  if (format !== "sedna-keys/1") fail("keySet.format", { expected: '"sedna-keys/1"', got: format });
  const read = list(keys, { where: "keySet.keys", least: 1, most: 100 }).map((key, i) =>
    readPublicKey(key, `keySet.keys[${i}]`),
  );
  unique(
    read.map(({ id }) => id),
    "keySet.keys",
  );
  return { format, version: whole(version, { where: "keySet.version", least: 1 }), keys: read };
}

function readManifest(value: unknown): ModelManifest {
  const optional = ["rollbackOf", "labels", "thresholds", "golden"];
  const given = record(
    value,
    at(
      "manifest",
      ["format", "name", "version", "files", "variants", "inputs", "outputs", "task", "license"],
      optional,
    ),
  );
  if (given["format"] !== "sedna-model/1")
    fail("manifest.format", { expected: '"sedna-model/1"', got: given["format"] });
  const version = whole(given["version"], { where: "manifest.version", least: 1 });
  const files = list(given["files"], { where: "manifest.files", least: 1 }).map((file, i) =>
    readFile(file, `manifest.files[${i}]`),
  );
  unique(
    files.map(({ path }) => path),
    "manifest.files",
  );
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_FILE_BYTES)
    fail("manifest.files", { expected: `at most ${MAX_FILE_BYTES} bytes in all`, got: total });
  const paths = new Set(files.map(({ path }) => path));
  const { rollbackOf, labels, thresholds, golden } = given;
  return {
    format: "sedna-model/1",
    name: text(given["name"], { where: "manifest.name", pattern: NAME, expected: "a name" }),
    version,
    ...(rollbackOf === undefined
      ? {}
      : { rollbackOf: whole(rollbackOf, { where: "manifest.rollbackOf", least: 1, most: version - 1 }) }),
    files,
    variants: list(given["variants"], { where: "manifest.variants", least: 1 }).map((variant, i) =>
      readVariant(variant, { where: `manifest.variants[${i}]`, paths }),
    ),
    inputs: readSpecs(given["inputs"], "manifest.inputs"),
    outputs: readSpecs(given["outputs"], "manifest.outputs"),
    task: readTask(given["task"]),
    ...(labels === undefined
      ? {}
      : {
          labels: list(labels, { where: "manifest.labels" }).map((label, i) =>
            text(label, { where: `manifest.labels[${i}]`, pattern: /^[^]{0,200}$/, expected: "a text" }),
          ),
        }),
    license: text(given["license"], {
      where: "manifest.license",
      pattern: /^[\x20-\x7e]{1,200}$/,
      expected: "an SPDX expression",
    }),
    ...(thresholds === undefined ? {} : { thresholds: readThresholds(thresholds) }),
    ...(golden === undefined
      ? {}
      : {
          golden: list(golden, { where: "manifest.golden" }).map((one, i) =>
            readGolden(one, { where: `manifest.golden[${i}]`, paths }),
          ),
        }),
  };
}

function readFile(value: unknown, where: string): ModelFile {
  const { path, size, sha256 } = record(value, at(where, ["path", "size", "sha256"]));
  return {
    path: text(path, { where: `${where}.path`, pattern: NAME, expected: "a file's name without folders" }),
    size: whole(size, { where: `${where}.size`, least: 1, most: MAX_FILE_BYTES }),
    sha256: text(sha256, {
      where: `${where}.sha256`,
      pattern: /^[a-f0-9]{64}$/,
      expected: "64 hexadecimal digits in lower case",
    }),
  };
}

function readVariant(
  value: unknown,
  { where, paths }: { readonly where: string; readonly paths: ReadonlySet<string> },
): ModelVariant {
  const { file, externalData, executionProviders, precision } = record(
    value,
    at(where, ["file", "executionProviders", "precision"], ["externalData"]),
  );
  return {
    file: listed(file, { where: `${where}.file`, paths }),
    ...(externalData === undefined
      ? {}
      : {
          externalData: list(externalData, { where: `${where}.externalData` }).map((one, i) =>
            listed(one, { where: `${where}.externalData[${i}]`, paths }),
          ),
        }),
    executionProviders: list(executionProviders, { where: `${where}.executionProviders`, least: 1 }).map(
      (one, i) =>
        oneOf(one, { where: `${where}.executionProviders[${i}]`, of: ["webgpu", "wasm", "cpu"] as const }),
    ),
    precision: oneOf(precision, { where: `${where}.precision`, of: ["float32", "float16", "int8"] as const }),
  };
}

function readGolden(
  value: unknown,
  { where, paths }: { readonly where: string; readonly paths: ReadonlySet<string> },
): GoldenCase {
  const { inputs, outputs, tolerance } = record(value, at(where, ["inputs", "outputs", "tolerance"]));
  const { absolute, relative } = record(tolerance, at(`${where}.tolerance`, ["absolute", "relative"]));
  return {
    inputs: listed(inputs, { where: `${where}.inputs`, paths }),
    outputs: listed(outputs, { where: `${where}.outputs`, paths }),
    tolerance: {
      absolute: number(absolute, `${where}.tolerance.absolute`),
      relative: number(relative, `${where}.tolerance.relative`),
    },
  };
}

function readSpecs(value: unknown, where: string): TensorSpec[] {
  const specs = list(value, { where }).map((spec, i) => {
    const { name, dtype, shape } = record(spec, at(`${where}[${i}]`, ["name", "dtype", "shape"]));
    return {
      name: text(name, {
        where: `${where}[${i}].name`,
        pattern: /^[^]{1,500}$/,
        expected: "a tensor's name",
      }),
      dtype: oneOf(dtype, { where: `${where}[${i}].dtype`, of: Object.keys(arrayOf) as DType[] }),
      shape: list(shape, { where: `${where}[${i}].shape`, most: 16 }).map((axis, k) =>
        whole(axis, { where: `${where}[${i}].shape[${k}]`, least: -1 }),
      ),
    };
  });
  unique(
    specs.map(({ name }) => name),
    where,
  );
  return specs;
}

function readTask(value: unknown): ModelManifest["task"] {
  const { name, options } = record(value, at("manifest.task", ["name"], ["options"]));
  const read = text(name, { where: "manifest.task.name", pattern: NAME, expected: "a task's name" });
  if (options === undefined) return { name: read };
  checkNames(options, { where: "manifest.task.options", depth: 0 });
  return { name: read, options: record(options, { where: "manifest.task.options" }) };
}

/**
 * Checks the names in the options of a task. The task reads its own options, but no name in them may reach a
 * prototype, at any depth.
 */
function checkNames(
  value: unknown,
  { where, depth }: { readonly where: string; readonly depth: number },
): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > 32) fail(where, { expected: "at most 32 levels", got: value });
  if (!Array.isArray(value)) record(value, { where });
  for (const one of Object.values(value)) checkNames(one, { where, depth: depth + 1 });
}

function readThresholds(value: unknown): Record<string, number> {
  const thresholds = record(value, { where: "manifest.thresholds" });
  return Object.fromEntries(
    Object.entries(thresholds).map(([name, one]) => [
      name,
      typeof one === "number" && Number.isFinite(one)
        ? one
        : fail(`manifest.thresholds.${name}`, { expected: "a finite number", got: one }),
    ]),
  );
}

function readSignatures(value: unknown): ManifestSignature[] {
  return list(value, { where: "signatures", least: 1, most: 20 }).map((signature, i) => {
    const { keyId, value: bytes } = record(signature, at(`signatures[${i}]`, ["keyId", "value"]));
    return {
      keyId: text(keyId, { where: `signatures[${i}].keyId`, pattern: NAME, expected: "a key's id" }),
      value: base64(bytes, { where: `signatures[${i}].value`, bytes: 64 }),
    };
  });
}
