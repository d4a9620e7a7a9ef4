import type { TensorSpec } from "../tensor.ts";

/** A file of a model, as declared in the manifest. */
export interface ModelFile {
  /** File name: letters, digits, ".", "_", "-"; no folders. Also the path relative to the manifest. */
  readonly path: string;
  /** Size, in bytes. */
  readonly size: number;
  /** Lower-case hex, 64 characters. */
  readonly sha256: string;
}

/** A way to run the model. The device uses the first variant of the manifest that it can run. */
export interface ModelVariant {
  /** `path` of the ONNX file. */
  readonly file: string;
  /** `path`s of the files that the ONNX file refers to. It may not refer to any other file. */
  readonly externalData?: readonly string[];
  /** Execution providers that can run the variant: `webgpu`, `wasm`, `cpu`. */
  readonly executionProviders: readonly string[];
  readonly precision: "float32" | "float16" | "int8";
}

/**
 * Inputs and their expected outputs, as `path`s of safetensors files with one tensor for each input or
 * output.
 */
export interface GoldenCase {
  readonly inputs: string;
  readonly outputs: string;
  /** Maximum difference: |got - expected| <= absolute + relative * |expected|. */
  readonly tolerance: { readonly absolute: number; readonly relative: number };
}

/** Everything that an edge must know about a model before running it. Signed over its canonical bytes. */
export interface ModelManifest {
  readonly format: "sedna-model/1";
  readonly name: string;
  /** Integer from 1 up. An edge rejects a version below the highest that it has seen. */
  readonly version: number;
  /** Set on an intentional rollback: the earlier version that it restores. */
  readonly rollbackOf?: number;
  readonly files: readonly ModelFile[];
  readonly variants: readonly ModelVariant[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Pre- and postprocessing: the name of a task (`heatmap`, `nanodet`, `classifier`, `tensors`) and its
   * options.
   */
  readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
  readonly labels?: readonly string[];
  /** SPDX license expression. */
  readonly license: string;
  /** Parameters of the hard example miner that fit this model, by Sedna's keys. */
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly golden?: readonly GoldenCase[];
}

/** A manifest and its signatures. */
export interface SignedManifest {
  readonly manifest: ModelManifest;
  readonly signatures: readonly ManifestSignature[];
}

/** An Ed25519 signature over the canonical bytes of the object next to it. */
export interface ManifestSignature {
  readonly keyId: string;
  /** 64 bytes, in base64. */
  readonly value: string;
}

/** A public key that verifies manifests. */
export interface PublicKey {
  readonly id: string;
  /** Ed25519 public key: 32 bytes, in base64. */
  readonly publicKey: string;
}

/** The set of trusted keys. A device accepts a newer set if a key of its current set has signed it. */
export interface KeySet {
  readonly format: "sedna-keys/1";
  /** Integer from 1 up. */
  readonly version: number;
  readonly keys: readonly PublicKey[];
}

/** A key set and its signatures. */
export interface SignedKeySet {
  readonly keySet: KeySet;
  readonly signatures: readonly ManifestSignature[];
}
