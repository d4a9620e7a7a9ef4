import type { TensorSpec } from "../tensor.ts";

/** One file of a model, as the manifest promises it. */
export interface ModelFile {
  /** Its name among the files: letters, digits, ".", "_", "-"; no folders. Also its place relative to the manifest. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex, 64 characters. */
  readonly sha256: string;
}

/** One way to run the model: the best that the device can do is taken, in the order of the manifest. */
export interface ModelVariant {
  /** `path` of the ONNX file. */
  readonly file: string;
  /** `path`s of files that the ONNX file refers to; it may refer to no others. */
  readonly externalData?: readonly string[];
  /** Execution providers that may run it: `webgpu`, `wasm`, `cpu`. */
  readonly executionProviders: readonly string[];
  readonly precision: "float32" | "float16" | "int8";
}

/** Inputs and the outputs that they must give, as `path`s of safetensors files with one tensor for each input or output. */
export interface GoldenCase {
  readonly inputs: string;
  readonly outputs: string;
  /** Largest difference that passes: |got - expected| <= absolute + relative * |expected|. */
  readonly tolerance: { readonly absolute: number; readonly relative: number };
}

/** Everything that an edge must know of a model before it runs it. Signed over its canonical bytes. */
export interface ModelManifest {
  readonly format: "sedna-model/1";
  readonly name: string;
  /** Whole, from 1 up. An edge takes no version below the highest that it has seen. */
  readonly version: number;
  /** Set on a version that goes back on purpose: the version whose place it takes. */
  readonly rollbackOf?: number;
  readonly files: readonly ModelFile[];
  readonly variants: readonly ModelVariant[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Pre- and postprocessing: a task by name (`heatmap`, `nanodet`, `classifier`, `tensors`) and its options. */
  readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
  readonly labels?: readonly string[];
  /** SPDX expression. */
  readonly license: string;
  /** Parameters of the miner that fit this model, by Sedna's keys. */
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly golden?: readonly GoldenCase[];
}

/** A manifest and who vouches for it. */
export interface SignedManifest {
  readonly manifest: ModelManifest;
  readonly signatures: readonly ManifestSignature[];
}

/** An Ed25519 signature over the canonical bytes of what it stands beside. */
export interface ManifestSignature {
  readonly keyId: string;
  /** base64, 64 bytes. */
  readonly value: string;
}

/** A key that signs manifests. */
export interface PublicKey {
  readonly id: string;
  /** Ed25519, base64, 32 bytes. */
  readonly publicKey: string;
}

/** The keys that are trusted from here on. A device takes a set that a key of its present one has signed, and that is newer. */
export interface KeySet {
  readonly format: "sedna-keys/1";
  /** Whole, from 1 up. */
  readonly version: number;
  readonly keys: readonly PublicKey[];
}

/** A key set and who vouches for it. */
export interface SignedKeySet {
  readonly keySet: KeySet;
  readonly signatures: readonly ManifestSignature[];
}
