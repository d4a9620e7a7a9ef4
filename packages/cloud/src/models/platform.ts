import type {
  KeySet,
  ManifestSignature,
  ModelManifest,
  PublicKey,
  SignedKeySet,
  SignedManifest,
} from "@sedna-js/core/wire";
import type { ModelFiles } from "./model-service.ts";

/** An Ed25519 key pair that signs models. Its private key is not accessible. */
export interface SigningKey extends PublicKey {
  /** Signs the canonical bytes of a value. */
  sign(value: unknown): ManifestSignature;
}

/** Options of {@link publishModel}. */
export interface PublishOptions {
  /** Path of the ONNX file. Files that it refers to are read from the same folder. */
  readonly model: string;
  readonly name: string;
  /** Number above the published version. Default: the next number, or 1. */
  readonly version?: number;
  /** Task of the model, and the task's options. */
  readonly task: ModelManifest["task"];
  /** SPDX license expression. */
  readonly license: string;
  readonly key: SigningKey;
  /**
   * Folder of this model alone. A model service serves a directory of such folders, each named after its
   * model.
   */
  readonly directory: string;
  readonly labels?: readonly string[];
  readonly thresholds?: Readonly<Record<string, number>>;
  /** Execution providers of the model. Default: webgpu, wasm, cpu. */
  readonly executionProviders?: readonly string[];
  /** Default float32. */
  readonly precision?: ModelManifest["variants"][number]["precision"];
  /** Marks this version as an intentional rollback, and names the version that it replaces. */
  readonly rollbackOf?: number;
  /** Adds a golden case: the outputs of Node's CPU for inputs generated from this seed. Default seed 1. */
  readonly golden?: {
    readonly seed?: number;
    /** Default 0.001. */ readonly absolute?: number;
    /** Default 0.01, because GPUs round differently. */ readonly relative?: number;
  };
}

/** Creates a key pair. `pem` is its private key as PKCS#8 in PEM. */
export declare function createSigningKey(): { readonly key: SigningKey; readonly pem: string };

/**
 * Returns the key pair of a private key in PEM.
 * @throws {SednaError} `wire-format` if the text is not an Ed25519 private key.
 */
export declare function readSigningKey(pem: string): SigningKey;

/**
 * Returns a manifest with its signature by the key.
 * @throws {WireError} If edges would reject the manifest.
 */
export declare function signManifest(manifest: ModelManifest, key: SigningKey): SignedManifest;

/**
 * Returns the keys that edges are to trust from now on, with a signature by a key that they trust at present.
 * @throws {WireError} If edges would reject the set.
 */
export declare function signKeySet(keySet: KeySet, key: SigningKey): SignedKeySet;

/**
 * Publishes a version of a model. Writes its files first and then the manifest, atomically, so that a
 * concurrent reader sees the old version or the new one. A file's name contains its SHA-256; files that the
 * model refers to keep their names. Files of older versions stay.
 *
 * @throws {RangeError} If the version is not higher, the folder belongs to another model, or a different file
 * with the same name is already published.
 * @throws {SednaError} `model-unreadable` if the model cannot be read.
 */
export declare function publishModel(options: PublishOptions): Promise<ModelManifest>;

/**
 * Returns the models that {@link publishModel} wrote to the folders of one directory. Each folder is named
 * after its model.
 */
export declare function directoryModels(directory: string): ModelFiles;
