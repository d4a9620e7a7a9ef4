import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { parseHotUpdateConfig, type HotUpdateConfig, type ModelManifest } from "@sedna-js/core/wire";
import type { ModelStore, VerifiedModel, VersionState } from "../models/model-store.ts";
import type { SednaModelStoreOptions } from "./platform.ts";

/** Name of Sedna's single file in the generated manifests. */
const FILE = "model.onnx";

interface Entry {
  readonly version: number;
  readonly path: string;
  model: VerifiedModel;
  state: VersionState;
  trials: number;
}

/**
 * See the contract. Each new `model_update_time` becomes the next version after that of the base. Its
 * manifest is the base manifest with the new file and without golden cases, which a retrained model need not
 * satisfy. Version states last as long as the store: after a restart the agent runs its own last known good
 * version, and checks Sedna's newest file again.
 *
 * Source: Sedna's hot model update (`core/base.py`), which records a version before it has loaded it, so that
 * a failed one is never retried. Here a version that could not be read is retried, and a version marked bad
 * is not.
 */
export function sednaModelStore({ configPath, base, trustLocalFiles }: SednaModelStoreOptions): ModelStore {
  if (trustLocalFiles !== true) {
    throw new SednaError(
      `load models from ${configPath}: expected a signed manifest; got an unsigned file. Set trustLocalFiles if everyone with write access to it is trusted`,
      { code: "model-untrusted" },
    );
  }
  const first: Entry = { version: base.manifest.version, path: "", model: base, state: "good", trials: 0 };
  /** Entries by `model_update_time`; the base has none. */
  const entries = new Map<string | undefined, Entry>([[undefined, first]]);

  const newest = async (
    signal?: AbortSignal,
  ): Promise<{ readonly entry: Entry; readonly isNew: boolean }> => {
    const config = await readConfig(configPath, signal);
    if (!config) return { entry: first, isNew: false };
    const known = entries.get(config.modelUpdateTime);
    if (known) return { entry: known, isNew: false };
    const version = Math.max(...[...entries.values()].map((one) => one.version)) + 1;
    const path = resolve(dirname(configPath), config.modelPath);
    const entry: Entry = {
      version,
      path,
      model: localModel(path, await describeFile(path, { base: base.manifest, version, signal })),
      state: "installed",
      trials: 0,
    };
    entries.set(config.modelUpdateTime, entry);
    return { entry, isNew: true };
  };
  const latest = (isWanted: (entry: Entry) => boolean): VerifiedModel | undefined =>
    [...entries.values()].filter(isWanted).at(-1)?.model;

  return {
    check: async ({ signal } = {}) => (await newest(signal)).entry.model.manifest,
    async install({ signal, onProgress } = {}) {
      const { entry, isNew } = await newest(signal);
      if (entry === first) return base;
      // The file may have been incomplete when it was first read.
      if (!isNew && entry.state === "installed")
        entry.model = localModel(
          entry.path,
          await describeFile(entry.path, { base: base.manifest, version: entry.version, signal }),
        );
      const { size } = entry.model.manifest.files[0]!;
      onProgress?.({ done: size, total: size });
      return entry.model;
    },
    current: async () => latest(({ state }) => state === "good") ?? latest(({ state }) => state !== "bad"),
    lastGood: async () => latest(({ state }) => state === "good"),
    async mark(version, state) {
      const entry = [...entries.values()].find((one) => one.version === version);
      if (!entry)
        throw new SednaError(`mark version ${version}: expected an installed version; got another`, {
          code: "model-unreadable",
        });
      entry.state = state;
      if (state === "trial") entry.trials++;
    },
    versions: async () =>
      [...entries.values()].map(({ version, state, trials }) => ({ version, state, trials })),
  };
}

/** Reads the config. Returns `undefined` if there is none yet, because nothing has been trained. */
async function readConfig(
  path: string,
  signal: AbortSignal | undefined,
): Promise<HotUpdateConfig | undefined> {
  try {
    return parseHotUpdateConfig(await readFile(path, { encoding: "utf8", signal }));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error instanceof SednaError ? error : unreadable(path, { cause: error, signal });
  }
}

/** Options of {@link describeFile}. */
interface DescribeFileOptions {
  readonly base: ModelManifest;
  readonly version: number;
  readonly signal: AbortSignal | undefined;
}

async function describeFile(
  path: string,
  { base, version, signal }: DescribeFileOptions,
): Promise<ModelManifest> {
  const data = await readFile(path, { signal }).catch((cause: unknown) =>
    Promise.reject(unreadable(path, { cause, signal })),
  );
  const executionProviders = [...new Set(base.variants.flatMap((variant) => variant.executionProviders))];
  const { rollbackOf: _, golden: __, ...kept } = base;
  return {
    ...kept,
    version,
    files: [{ path: FILE, size: data.length, sha256: sha256(data) }],
    variants: [{ file: FILE, executionProviders, precision: base.variants[0]?.precision ?? "float32" }],
  };
}

function localModel(path: string, manifest: ModelManifest): VerifiedModel {
  return {
    manifest,
    async read(name, { signal } = {}) {
      if (name !== FILE)
        throw new SednaError(
          `read ${name}: expected ${FILE}, the only file that Sedna provides; got another name`,
          {
            code: "model-unreadable",
          },
        );
      const data = await readFile(path, { signal }).catch((cause: unknown) =>
        Promise.reject(unreadable(path, { cause, signal })),
      );
      if (sha256(data) !== manifest.files[0]!.sha256)
        throw new SednaError(
          `read ${path}: expected the file of version ${manifest.version}; got one that was changed since`,
          { code: "model-unreadable", retryable: true },
        );
      return new Uint8Array(data);
    },
  };
}

/**
 * Returns a retryable error: files may be missing while they are copied, and the next check may find them.
 */
function unreadable(
  path: string,
  { cause, signal }: { readonly cause: unknown; readonly signal: AbortSignal | undefined },
): unknown {
  if (signal?.aborted) return signal.reason;
  return new SednaError(`read ${path}: expected a file; got ${messageOf(cause)}`, {
    code: "model-unreadable",
    retryable: true,
    cause,
  });
}

function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
