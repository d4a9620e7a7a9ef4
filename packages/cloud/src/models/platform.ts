import type {
  KeySet,
  ManifestSignature,
  ModelManifest,
  PublicKey,
  SignedKeySet,
  SignedManifest,
} from "@sedna-js/core/wire";
import type { ModelFiles } from "./model-service.ts";

/** Who vouches for models: an Ed25519 key pair whose private half stays inside. */
export interface SigningKey extends PublicKey {
  /** Signs a value's canonical bytes. */
  sign(value: unknown): ManifestSignature;
}

/** Options of {@link publishModel}. */
export interface PublishOptions {
  /** Path of the ONNX file. Files that it refers to are taken from beside it. */
  readonly model: string;
  readonly name: string;
  /** Higher than the one that is published. Default: the next, or 1. */
  readonly version?: number;
  /** What the model is for, and the task's options. */
  readonly task: ModelManifest["task"];
  /** SPDX license expression. */
  readonly license: string;
  readonly key: SigningKey;
  /**
   * The model's own folder. Folders side by side, each named as its model, are what a model service serves.
   */
  readonly directory: string;
  readonly labels?: readonly string[];
  readonly thresholds?: Readonly<Record<string, number>>;
  /** Default: webgpu, wasm, cpu. */
  readonly executionProviders?: readonly string[];
  /** Default float32. */
  readonly precision?: ModelManifest["variants"][number]["precision"];
  /** Says that this version goes back on purpose, and whose place it takes. */
  readonly rollbackOf?: number;
  /** Adds a golden case: what Node's CPU gives for inputs of this seed. */
  readonly golden?: {
    readonly seed?: number;
    /** Default 0.001. */ readonly absolute?: number;
    /** Default 0.01: GPUs round in their own way. */ readonly relative?: number;
  };
}

/** A new key pair, and its private half as PKCS#8 in PEM. */
export declare function createSigningKey(): { readonly key: SigningKey; readonly pem: string };

/** A key pair from its private half. @throws {SednaError} `wire-format` on what is none of Ed25519. */
export declare function readSigningKey(pem: string): SigningKey;

/** A manifest and the key's word for it. @throws {WireError} on one that no edge would take. */
export declare function signManifest(manifest: ModelManifest, key: SigningKey): SignedManifest;

/**
 * The keys to trust from here on, and the word of a key that is trusted so far. @throws {WireError} on a set
 * that no edge would take.
 */
export declare function signKeySet(keySet: KeySet, key: SigningKey): SignedKeySet;

/**
 * Publishes a version: its files first, under names that say their content, then the manifest, in one step.
 * Who reads meanwhile has the old version or the new one. Files of older versions stay.
 *
 * @throws {RangeError} on a version that is not higher, a folder of another model, or another file of a name
 * that is taken. {SednaError} `model-unreadable`.
 */
export declare function publishModel(options: PublishOptions): Promise<ModelManifest>;

/** Models as {@link publishModel} lays them, in folders of one directory that are named as they are. */
export declare function directoryModels(directory: string): ModelFiles;
