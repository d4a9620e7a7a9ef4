// A model store over real sockets, real files and real signatures, for the store's tests.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SednaError } from "@sedna-js/core";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { ByteStore } from "../../packages/edge-agent/src/storage/byte-store.ts";
import {
  createModelStore,
  type ModelStoreOptions,
} from "../../packages/edge-agent/src/models/create-model-store.ts";
import { fileBytes } from "../../packages/edge-agent/src/storage/file-bytes.node.ts";
import type { ModelStore } from "../../packages/edge-agent/src/models/model-store.ts";
import { paddedOnnx, publish, type SigningKey, type Version } from "./model-publisher.ts";
import { modelServer, type ModelServer } from "./model-server.ts";

/** See {@link modelStoreFixture}. */
export interface ModelStoreFixture {
  readonly server: ModelServer;
  /** Returns a new path at which nothing exists yet. */
  folder(): string;
  /** Creates a store that trusts the key, over a byte store or over the files of a folder. */
  storeIn(bytes: ByteStore | string, options?: Partial<ModelStoreOptions>): ModelStore;
  /** Publishes a version, signed by the key or by `by`. */
  serve(version: Version, by?: SigningKey): Promise<void>;
}

/** Starts a server and creates a folder for the tests of a file, and removes both afterwards. */
export function modelStoreFixture(key: SigningKey): ModelStoreFixture {
  const at = { server: undefined as unknown as ModelServer, folder: "", made: 0 };
  beforeAll(async () => {
    at.server = await modelServer();
    at.folder = await mkdtemp(join(tmpdir(), "sedna-models-"));
  });
  afterAll(async () => {
    await at.server.close();
    await rm(at.folder, { recursive: true });
  });
  afterEach(() => {
    at.server.mischief = undefined;
    at.server.files = new Map();
    at.server.asked.length = 0;
  });
  return {
    get server() {
      return at.server;
    },
    folder: () => join(at.folder, String(at.made++)),
    storeIn: (bytes, options = {}) =>
      createModelStore({
        manifest: at.server.url,
        keys: [key],
        bytes: typeof bytes === "string" ? fileBytes({ directory: bytes }) : bytes,
        baseMs: 1,
        ...options,
      }),
    serve: async (version, by = key) => void (at.server.files = await publish(by, version)),
  };
}

/** Returns a model's file of the given length; each seed gives different bytes. */
export const model = (
  seed: number,
  bytes = 3000,
): { content: { "model.onnx": Uint8Array<ArrayBuffer> } } => ({
  content: { "model.onnx": paddedOnnx(bytes, seed) },
});

/**
 * Resolves to the error of a call.
 * @throws {Error} If the call succeeds.
 */
export const failure = (call: Promise<unknown>): Promise<SednaError> =>
  call.then(
    () => Promise.reject(new Error("expected a failure; got success")),
    (error: SednaError) => error,
  );
