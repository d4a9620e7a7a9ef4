import type {
  DecodeImage,
  Estimator,
  KeySet,
  ManifestSignature,
  ModelManifest,
  PublicKey,
  SignedKeySet,
  SignedManifest,
  Task,
} from "@sedna-js/core";
import type { Cloud } from "../http/create-cloud.ts";
import type { DeviceRegistry } from "../federation/sessions/device-registry.ts";
import type { FederationLog } from "../federation/log/federation-log.ts";
import type { ModelFiles } from "../models/model-service.ts";
import type { SampleStore } from "../samples/sample-store.ts";

// What only a server process can do. platform.node.ts does it; elsewhere platform.other.ts throws an error that
// says so: there a cloud is a function that the host calls.

/** Options of {@link serve}. */
export interface ServeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1: to be reached from outside is a decision. */
  readonly host?: string;
  /** How long a shutdown waits for requests under way, in ms. Default 10000. */
  readonly drainMs?: number;
  readonly sockets?: SocketLimits;
}

/** What a server's WebSockets must keep to. */
export interface SocketLimits {
  /** In all. More are answered 503. Default 10000. */
  readonly maxConnections?: number;
  /** From one IPv4 address or one IPv6 /64. More are answered 429. Behind a proxy all come from its address. Default 1024. */
  readonly maxPerAddress?: number;
  /** Time between pings in ms; after two that nothing answers a socket is cut off. Default 10000. */
  readonly pingMs?: number;
  /** How long the other side may take to answer a close before it is cut off, in ms. Default 3000. */
  readonly closeMs?: number;
}

/** A cloud on a socket. */
export interface Serving {
  readonly url: string;
  /** Stops listening, answers what is under way, ends. */
  close(): Promise<void>;
}

/** Options of {@link onnxFile}. */
export interface OnnxFileOptions<Sample, Result> {
  readonly path: string;
  readonly task: Task<Sample, Result>;
  /** CPU threads of a run. Default: as many as ONNX Runtime likes. */
  readonly threads?: number;
}

/** Puts a cloud on a socket. Rejects when the port is taken. */
export declare function serve(cloud: Cloud, options: ServeOptions): Promise<Serving>;

/** An ONNX file on `onnxruntime-node`, as an estimator to serve. */
export declare function onnxFile<Sample, Result>(
  options: OnnxFileOptions<Sample, Result>,
): Estimator<Sample, Result>;

/** Decodes JPEG, PNG and WebP with the optional package `sharp`. */
export declare function sharpDecoder(): DecodeImage;

/** Samples as files of one directory, which is made where there is none. */
export declare function directorySamples(path: string): SampleStore;

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
  /** SPDX expression. */
  readonly licence: string;
  readonly key: SigningKey;
  /** The model's own folder. Folders side by side, each named as its model, are what a model service serves. */
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

/** The keys to trust from here on, and the word of a key that is trusted so far. @throws {WireError} on a set that no edge would take. */
export declare function signKeySet(keySet: KeySet, key: SigningKey): SignedKeySet;

/**
 * Publishes a version: its files first, under names that say their content, then the manifest, in one step. Who reads
 * meanwhile has the old version or the new one. Files of older versions stay.
 *
 * @throws {RangeError} on a version that is not higher, a folder of another model, or another file of a name that is taken. {SednaError} `model-unreadable`.
 */
export declare function publishModel(options: PublishOptions): Promise<ModelManifest>;

/** Models as {@link publishModel} lays them, in folders of one directory that are named as they are. */
export declare function directoryModels(directory: string): ModelFiles;

/** A federation's log as one directory, which no other process may have open. */
export declare function directoryFederationLog(directory: string): FederationLog;

/** Options of {@link fileDeviceRegistry}. */
export interface FileDeviceRegistryOptions {
  /** Made where it is not there. */
  readonly directory: string;
  /** How long what was read is believed, in ms: so late does it see what another process revoked. Default 5000. */
  readonly freshMs?: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** A registry of one file a device, each written beside and put in its place: after a death there is the former or the new one. */
export declare function fileDeviceRegistry(options: FileDeviceRegistryOptions): DeviceRegistry;
