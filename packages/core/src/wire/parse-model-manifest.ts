import { arrayOf, type DType, type TensorSpec } from "../tensor.ts";
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
import {
  anyText,
  checkNames,
  failField,
  type Fields,
  fieldsOf,
  hexText,
  jsonOf,
  readOneOf,
  readText,
  readWhole,
  type TextLimits,
} from "./read-fields.ts";

// Manifests and key sets come from an untrusted network: every field is checked, and unknown fields are
// rejected. The signatures cover the value of the text, so the checked manifest must contain exactly what the
// text contains.

/** Maximum size of a manifest or key set, in bytes. */
const MAX_BYTES = 2 ** 20;
/** Maximum size of a model's file, and of all its files together, in bytes: as much as a page can hold. */
const MAX_FILE_BYTES = 2 ** 32;
const MAX_LIST = 1000;

/** Names of models, files, and keys. */
const NAME: TextLimits = {
  most: 128,
  pattern: /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*$/,
  expected: 'letters, digits, ".", "_" and "-", without ".."',
};

/**
 * Parses a signed manifest from JSON. Does not verify its signatures.
 *
 * @throws {WireError} If the JSON is not a manifest whose parts match.
 */
export function parseSignedManifest(bytes: Uint8Array): SignedManifest {
  const file = readFile(bytes, "a model manifest").only("manifest", "signatures");
  return { manifest: readManifest(file.value("manifest")), signatures: readSignatures(file) };
}

/**
 * Parses a signed key set from JSON. Does not verify its signatures.
 *
 * @throws {WireError} If the JSON is not a signed key set.
 */
export function parseSignedKeySet(bytes: Uint8Array): SignedKeySet {
  const file = readFile(bytes, "a key set").only("keySet", "signatures");
  return { keySet: readKeySet(file.value("keySet")), signatures: readSignatures(file) };
}

function readFile(bytes: Uint8Array, what: string): Fields {
  return fieldsOf(jsonOf(bytes, { what, maxBytes: MAX_BYTES }), what);
}

/**
 * Reads a public key: an ID, and 32 bytes in base64.
 *
 * @throws {WireError} If the value is not a public key.
 */
export function readPublicKey(value: unknown, where = "a key"): PublicKey {
  const key = fieldsOf(value, where).only("id", "publicKey");
  return { id: key.text("id", NAME), publicKey: base64(key, "publicKey", 32) };
}

function readKeySet(value: unknown): KeySet {
  const keySet = fieldsOf(value, "keySet").only("format", "version", "keys");
  return {
    format: keySet.oneOf("format", ["sedna-keys/1"]),
    version: keySet.whole("version", { least: 1 }),
    keys: unique(keySet.list("keys", { least: 1, most: 100, read: readPublicKey }), {
      where: "keySet.keys",
      name: ({ id }) => id,
    }),
  };
}

const REQUIRED = ["format", "name", "version", "files", "variants", "inputs", "outputs", "task", "license"];
const OPTIONAL = ["rollbackOf", "labels", "thresholds", "golden"];

function readManifest(value: unknown): ModelManifest {
  const given = fieldsOf(value, "manifest").only(...REQUIRED, ...OPTIONAL);
  const version = given.whole("version", { least: 1 });
  const files = unique(given.list("files", { least: 1, most: MAX_LIST, read: readModelFile }), {
    where: "manifest.files",
    name: ({ path }) => path,
  });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_FILE_BYTES)
    failField("manifest.files", { expected: `at most ${MAX_FILE_BYTES} bytes in all`, got: total });
  const paths = new Set(files.map(({ path }) => path));
  const most = MAX_LIST;
  return {
    format: given.oneOf("format", ["sedna-model/1"]),
    name: given.text("name", NAME),
    version,
    ...(given.has("rollbackOf") && {
      rollbackOf: given.whole("rollbackOf", { least: 1, most: version - 1 }),
    }),
    files,
    variants: given.list("variants", {
      least: 1,
      most,
      read: (variant, where) => readVariant(fieldsOf(variant, where), paths),
    }),
    inputs: readSpecs(given, "inputs"),
    outputs: readSpecs(given, "outputs"),
    task: readTask(given.object("task")),
    ...(given.has("labels") && {
      labels: given.list("labels", {
        most,
        read: (label, where) => readText(label, where, { ...anyText, most: 200 }),
      }),
    }),
    license: given.text("license", { pattern: /^[\x20-\x7e]*$/, expected: "an SPDX expression" }),
    ...(given.has("thresholds") && { thresholds: readThresholds(given.object("thresholds")) }),
    ...(given.has("golden") && {
      golden: given.list("golden", {
        most,
        read: (one, where) => readGolden(fieldsOf(one, where), paths),
      }),
    }),
  };
}

function readModelFile(value: unknown, where: string): ModelFile {
  const file = fieldsOf(value, where).only("path", "size", "sha256");
  return {
    path: file.text("path", NAME),
    size: file.whole("size", { least: 1, most: MAX_FILE_BYTES }),
    sha256: file.text("sha256", hexText(32)),
  };
}

function readVariant(variant: Fields, paths: ReadonlySet<string>): ModelVariant {
  variant.only("file", "executionProviders", "precision", "externalData");
  return {
    file: listedPath(variant.value("file"), { where: `${variant.where}.file`, paths }),
    ...(variant.has("externalData") && {
      externalData: variant.list("externalData", {
        most: MAX_LIST,
        read: (one, where) => listedPath(one, { where, paths }),
      }),
    }),
    executionProviders: variant.list("executionProviders", {
      least: 1,
      most: MAX_LIST,
      read: (one, where) => readOneOf(one, where, ["webgpu", "wasm", "cpu"]),
    }),
    precision: variant.oneOf("precision", ["float32", "float16", "int8"]),
  };
}

function readGolden(golden: Fields, paths: ReadonlySet<string>): GoldenCase {
  golden.only("inputs", "outputs", "tolerance");
  const tolerance = golden.object("tolerance").only("absolute", "relative");
  return {
    inputs: listedPath(golden.value("inputs"), { where: `${golden.where}.inputs`, paths }),
    outputs: listedPath(golden.value("outputs"), { where: `${golden.where}.outputs`, paths }),
    tolerance: { absolute: tolerance.number("absolute"), relative: tolerance.number("relative") },
  };
}

function readSpecs(manifest: Fields, name: string): TensorSpec[] {
  const specs = manifest.list(name, {
    most: MAX_LIST,
    read(value, where) {
      const spec = fieldsOf(value, where).only("name", "dtype", "shape");
      return {
        name: spec.text("name", { ...anyText, least: 1, most: 500 }),
        dtype: spec.oneOf("dtype", Object.keys(arrayOf) as DType[]),
        shape: spec.list("shape", {
          most: 16,
          read: (axis, where) => readWhole(axis, where, { least: -1 }),
        }),
      };
    },
  });
  return unique(specs, { where: `manifest.${name}`, name: (spec) => spec.name });
}

/** The task reads its own options, but no name in them may reach a prototype, at any depth. */
function readTask(task: Fields): ModelManifest["task"] {
  task.only("name", "options");
  const name = task.text("name", NAME);
  if (!task.has("options")) return { name };
  task.object("options");
  const options = checkNames(task.value("options"), { where: "manifest.task.options", levels: 32 });
  return { name, options: options as Readonly<Record<string, unknown>> };
}

function readThresholds(thresholds: Fields): Record<string, number> {
  const least = -Number.MAX_VALUE;
  return Object.fromEntries(thresholds.names().map((name) => [name, thresholds.number(name, { least })]));
}

function readSignatures(file: Fields): ManifestSignature[] {
  return file.list("signatures", {
    least: 1,
    most: 20,
    read(value, where) {
      const signature = fieldsOf(value, where).only("keyId", "value");
      return { keyId: signature.text("keyId", NAME), value: base64(signature, "value", 64) };
    },
  });
}

/** Reads the path of one of the manifest's files. */
function listedPath(
  value: unknown,
  { where, paths }: { readonly where: string; readonly paths: ReadonlySet<string> },
): string {
  if (typeof value === "string" && paths.has(value)) return value;
  return failField(where, { expected: "the path of a file that the manifest lists", got: value });
}

/** Reads base64 of a fixed number of bytes. */
function base64(fields: Fields, name: string, bytes: number): string {
  const length = 4 * Math.ceil(bytes / 3);
  const value = fields.text(name, {
    least: length,
    most: length,
    pattern: /^[A-Za-z0-9+/]+={0,2}$/,
    expected: `${bytes} bytes in base64`,
  });
  if (atob(value).length === bytes) return value;
  return failField(`${fields.where}.${name}`, { expected: `${bytes} bytes in base64`, got: value });
}

/** Returns the items of a list if no two have the same name. */
function unique<Item>(
  items: Item[],
  { where, name }: { readonly where: string; readonly name: (item: Item) => string },
): Item[] {
  const names = items.map(name);
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  return twice === undefined
    ? items
    : failField(where, { expected: "each name once", got: `${twice} twice` });
}
